package edgetest

// concurrency is the number of deliveries that a relay passes on, and a worker runs, at once.
const concurrency = 16

// maxTogether is how many calls of Store of one relay may overlap another one in an outage.
// After the first failure one delivery at a time is tried, but up to concurrency others may be
// on their way into Store at that moment, twice if the first failures meet a success.
const maxTogether = 2 * concurrency

// probes are the calls of Store of one relay.
type probes struct {
	running  int
	failing  bool // the last call failed
	together int  // calls that overlapped another one, since the first that failed
}

// probe notes the beginning or the end of a call. The caller holds a.mu.
func (a *account) probe(verb, who string) {
	p := a.probes[who]
	if p == nil {
		p = new(probes)
		a.probes[who] = p
	}
	switch verb {
	case tries:
		p.running++
		if p.failing && p.running > 1 {
			if p.together++; p.together == maxTogether+1 {
				a.book.Faultf("%s tried many deliveries at once on a database that is away", who)
			}
		}
	case stored:
		p.running--
		a.total.stored++
		p.failing = false
	case refused:
		p.running--
		a.total.refused++
		if !p.failing {
			p.failing, p.together = true, 0
		}
	}
}
