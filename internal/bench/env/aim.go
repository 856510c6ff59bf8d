package env

import (
	"fmt"
	"io"
)

// An Aim is a ratio that the project wants to reach.
type Aim struct {
	Text   string
	AtMost bool // Got must not be above Want; otherwise it must not be below
	Want   float64
	Got    float64 // by the clock
	Low    float64 // lower quartile of the rounds' ratios
	High   float64 // upper quartile
	Best   float64 // the ratio of the best rounds
	CPU    float64 // as Got, in processor time; 0 if it is not known
}

// NewAim returns an Aim about ratios that were measured round by round.
func NewAim(text string, atMost bool, want float64, ratios []float64) Aim {
	return Aim{Text: text, AtMost: atMost, Want: want, Got: Median(ratios), Low: Quantile(ratios, 0.25), High: Quantile(ratios, 0.75)}
}

// Wanted returns the limit as tables show it.
func (a Aim) Wanted() string {
	if a.AtMost {
		return fmt.Sprintf("≤ %.2f", a.Want)
	}
	return fmt.Sprintf("≥ %.2f", a.Want)
}

func (a Aim) holds(got float64) bool { return got == a.Want || (got < a.Want) == a.AtMost }

// Verdict goes by the clock alone: where the disk decides, processor time says
// something else.
func (a Aim) Verdict() string {
	if a.holds(a.Got) {
		return "reached"
	}
	return "missed"
}

// VerdictByCPU is that of the clock unless processor time contradicts it: then
// the machine was too busy, and the aim is open.
func (a Aim) VerdictByCPU() string {
	if a.CPU != 0 && a.holds(a.Got) != a.holds(a.CPU) {
		return "open"
	}
	return a.Verdict()
}

// PrintAims prints a table, or nothing if there are no aims.
func PrintAims(w io.Writer, title string, aims []Aim) {
	if len(aims) == 0 {
		return
	}
	Head(w, title, "aim", "wanted:", "got:", "quartiles:", "by CPU time:", "")
	for _, a := range aims {
		fmt.Fprintf(w, "| %s | %s | %.2f | %.2f–%.2f | %s | %s |\n", a.Text, a.Wanted(), a.Got, a.Low, a.High, Known(a.CPU), a.Verdict())
	}
	fmt.Fprintln(w)
}
