package prom

import (
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A CatchUpStatus is what the metrics of a catch-up are made of: the fields of those names of
// the CatchUpStatus of a sender's package, such as github. The numbers except Missing count
// since its Run began.
type CatchUpStatus struct {
	Missing int       // events that are missing now
	Found   int       // events that were found missing
	Settled int       // of Found, those that the inbox knows now
	Lost    int       // of Found, those that the sender does not have any more
	Looks   int       // that were completed
	Looked  time.Time // when the last of Looks was; zero if there was none
	Err     error     // of the last look; nil if it worked
}

// CatchUps returns a Collector of the statuses of catch-ups. The keys of the map are the
// values of the label target: give each catch-up a name that stays the same when the process
// restarts, such as that of its repository. The funcs are called at each scrape, also
// concurrently, and must be quick. CatchUps copies the map.
func CatchUps(catchUps map[string]func() CatchUpStatus) prometheus.Collector {
	c := &catchUpCollector{catchUps: maps.Clone(catchUps)}
	add := func(kind prometheus.ValueType, name, help string, value func(CatchUpStatus) float64) {
		c.metrics = append(c.metrics, catchUpMetric{prometheus.NewDesc("hookhouse_catchup_"+name, help, []string{"target"}, nil), kind, value})
	}
	add(prometheus.GaugeValue, "missing", "Events that are missing now.", func(s CatchUpStatus) float64 { return float64(s.Missing) })
	add(prometheus.CounterValue, "found_total", "Events that were found missing.", func(s CatchUpStatus) float64 { return float64(s.Found) })
	add(prometheus.CounterValue, "settled_total", "Events that were found missing and that the inbox knows now.", func(s CatchUpStatus) float64 { return float64(s.Settled) })
	add(prometheus.CounterValue, "lost_total", "Events that were found missing and that the sender does not have any more.", func(s CatchUpStatus) float64 { return float64(s.Lost) })
	add(prometheus.CounterValue, "looks_total", "Looks that were completed.", func(s CatchUpStatus) float64 { return float64(s.Looks) })
	add(prometheus.GaugeValue, "up", "1 if the last look worked, or if there was none, else 0.", func(s CatchUpStatus) float64 { return number(s.Err == nil) })
	add(prometheus.GaugeValue, "last_look_timestamp_seconds", "When the last look was completed, as Unix time; 0 if none was.", func(s CatchUpStatus) float64 {
		if s.Looked.IsZero() {
			return 0
		}
		return float64(s.Looked.UnixMilli()) / 1000
	})
	return c
}

type catchUpCollector struct {
	catchUps map[string]func() CatchUpStatus
	metrics  []catchUpMetric
}

type catchUpMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(CatchUpStatus) float64
}

func (c *catchUpCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		ch <- m.desc
	}
}

func (c *catchUpCollector) Collect(ch chan<- prometheus.Metric) {
	for target, status := range c.catchUps {
		s := status()
		for _, m := range c.metrics {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(s), target)
		}
	}
}
