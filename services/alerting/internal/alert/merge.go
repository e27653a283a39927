package alert

// Merge joins what is known of a condition with a newer post of it. When the two overlap in time they are one episode:
// it began at the earlier start, the newer post's annotations hold, and the end is the newer post's unless the older
// knew better. When they do not overlap, the later episode is the condition's state: a post that was late on its way
// does not end what came after it.
func Merge(old, fresh Alert) Alert {
	if fresh.UpdatedAt.Before(old.UpdatedAt) {
		old, fresh = fresh, old
	}
	if !overlap(old, fresh) {
		return laterEpisode(old, fresh)
	}
	merged := fresh
	merged.Incident = old.Incident
	if old.StartsAt.Before(merged.StartsAt) {
		merged.StartsAt = old.StartsAt
	}
	if keepsEnd(old, fresh) {
		merged.EndsAt, merged.Timeout = old.EndsAt, old.Timeout
	}
	return merged
}

// keepsEnd decides between two ends of one episode. A resolved post ends it, unless an older one resolved it later; an
// end that a sender named outlasts a shorter time-out or a shorter name.
func keepsEnd(old, fresh Alert) bool {
	if !old.EndsAt.After(fresh.EndsAt) {
		return false
	}
	if !fresh.Firing(fresh.UpdatedAt) {
		return !old.Firing(fresh.UpdatedAt)
	}
	return !old.Timeout
}

// overlap says that two posts speak of one episode. Ends that only touch do not: the second began when the first was
// over. A post without a length, as of an alert that is resolved and names no start, belongs to what it lies on.
func overlap(a, b Alert) bool {
	if a.StartsAt.Equal(a.EndsAt) || b.StartsAt.Equal(b.EndsAt) {
		return !a.StartsAt.After(b.EndsAt) && !b.StartsAt.After(a.EndsAt)
	}
	return a.StartsAt.Before(b.EndsAt) && b.StartsAt.Before(a.EndsAt)
}

// laterEpisode keeps the incident with the episode that it belongs to. A beginning that still lies ahead, as of a post that
// names only an end, is no episode yet: the newer word holds.
func laterEpisode(old, fresh Alert) Alert {
	if fresh.StartsAt.Before(old.StartsAt) && !old.StartsAt.After(fresh.UpdatedAt) {
		return old
	}
	fresh.Incident = ""
	return fresh
}
