SELECT min(greatest(not_before, lease_until)) FROM delivery WHERE state = 'pending'
