package powerloss

// A Report is what the images of a Run showed.
type Report struct {
	Acknowledged, Settled int
	Cuts                  int // images looked at
	InCheckpoint          int // of them, so many in the middle of a checkpoint
	Drained               int // of them, so many were worked off
	Checkpoints           int
	Batch                 int      // the most deliveries in one transaction
	Lost                  []string // UIDs acknowledged and not there whole
	Undone                []string // UIDs settled and not settled
	Damaged               []string // what integrity_check and SQLite say
}

// Whole reports whether nothing was lost.
func (r *Report) Whole() bool { return len(r.Lost)+len(r.Undone)+len(r.Damaged) == 0 }
