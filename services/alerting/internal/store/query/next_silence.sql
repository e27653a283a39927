SELECT min(due_at) FROM silence
