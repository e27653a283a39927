package outbox

// Lanes is how many transactions an Intake has at the same time.
const Lanes = lanes
