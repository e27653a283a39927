package bus

import "time"

// SetPatience is how long messages may wait while none comes. Call it before Start.
func (c *Consumer) SetPatience(d time.Duration) { c.patience = d }
