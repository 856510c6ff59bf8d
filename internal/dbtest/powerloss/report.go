package powerloss

// A Report is what was found in the images of a Run.
type Report struct {
	Acknowledged, Settled int
	Cuts                  int // images examined
	InCheckpoint          int // of them, during a checkpoint
	Drained               int // of them, drained
	Checkpoints           int
	Batch                 int      // the most deliveries in one transaction
	Lost                  []string // UIDs acknowledged and not stored whole
	Undone                []string // UIDs settled and not in that state
	Damaged               []string // errors of integrity_check and SQLite
}

// Whole reports whether nothing was lost.
func (r *Report) Whole() bool { return len(r.Lost)+len(r.Undone)+len(r.Damaged) == 0 }
