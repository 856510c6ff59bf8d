package inspect

import (
	"slices"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxPending is how many changes wait for a viewer. Further ones take the place of the
// oldest, and the viewer gets their number.
const maxPending = 100

// News are changes that a viewer gets, in the order of the changes, and how many others were
// dropped. Its records are shared and not changed.
type news struct {
	records []webhook.Record
	dropped int
}

// newsOf returns what is found, newest first, as news for a filter.
func newsOf(found []webhook.Record, f webhook.Filter) news {
	found = slices.Clone(found)
	slices.Reverse(found)
	return news{records: found}.trimmed(f)
}

// then returns n and after it what is newer. A delivery that is in both is once in the result.
func (n news) then(newer news, f webhook.Filter) news {
	again := make(map[string]bool, len(newer.records))
	for _, r := range newer.records {
		again[r.Delivery.UID] = true
	}
	all := make([]webhook.Record, 0, len(n.records)+len(newer.records))
	for _, r := range n.records {
		if !again[r.Delivery.UID] {
			all = append(all, r)
		}
	}
	return news{append(all, newer.records...), n.dropped + newer.dropped}.trimmed(f)
}

// trimmed drops what is too much: first what the filter does not match, then the oldest.
func (n news) trimmed(f webhook.Filter) news {
	over := len(n.records) - maxPending
	if over <= 0 {
		return n
	}
	n.dropped += over
	kept := make([]webhook.Record, 0, maxPending) // the large array of a busy look is not kept
	for _, r := range n.records {
		if over > 0 && !matches(f, r) {
			over--
			continue
		}
		kept = append(kept, r)
	}
	n.records = slices.Delete(kept, 0, over)
	return n
}

// An update is the JSON of what a viewer gets.
type update struct {
	Deliveries []liveRecord `json:"deliveries"` // in the order of the changes
	Gone       []string     `json:"gone"`       // the URLs of those that no longer match
	Dropped    int          `json:"dropped,omitempty"`
	Missed     bool         `json:"missed,omitempty"`
	Error      string       `json:"error,omitempty"`
}

// A liveRecord is a delivery with the URL of its page.
type liveRecord struct {
	record
	URL string `json:"url"`
}

func (n news) update(f webhook.Filter, missed, failed bool) update {
	u := update{Deliveries: []liveRecord{}, Gone: []string{}, Dropped: n.dropped, Missed: missed}
	for _, r := range n.records {
		if matches(f, r) {
			u.Deliveries = append(u.Deliveries, liveRecord{recordOf(r), deliveryURL(r.Delivery.UID)})
		} else {
			u.Gone = append(u.Gone, deliveryURL(r.Delivery.UID))
		}
	}
	if failed {
		u.Error = "the store failed; the log says why"
	}
	return u
}

// eventOf returns an update as a server-sent event, or nil if it cannot be written.
func eventOf(u update) []byte {
	line, err := jsonText(u)
	if err != nil {
		return nil
	}
	return append(append([]byte("data: "), line...), '\n')
}

// A sharing is a look for the viewers with the same filter. What is made of it is made once.
type sharing struct {
	filter webhook.Filter
	look   look
	made   [2]*sharedNews
}

// A sharedNews is news with the event that viewers get who have nothing else pending.
type sharedNews struct {
	news
	event func() []byte
}

// changes returns what has changed, and greeting what matches in the window. They are called by
// one goroutine.
func (s *sharing) changes() *sharedNews {
	return s.make(0, func() news { return newsOf(s.look.changed, s.filter) })
}

func (s *sharing) greeting() *sharedNews {
	return s.make(1, func() news {
		window := slices.DeleteFunc(slices.Clone(s.look.window), func(r webhook.Record) bool { return !matches(s.filter, r) })
		return newsOf(window[:min(len(window), maxPending/2)], s.filter)
	})
}

func (s *sharing) make(i int, of func() news) *sharedNews {
	if s.made[i] == nil {
		n := of()
		s.made[i] = &sharedNews{n, sync.OnceValue(func() []byte { return eventOf(n.update(s.filter, false, false)) })}
	}
	return s.made[i]
}
