package dashtest

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// A memory is a storage of Prometheus that is in memory.
type memory struct {
	series map[string]*series // by their labels
}

type series struct {
	labels  labels.Labels
	samples []chunks.Sample
}

// A sample is a number at a time in Unix milliseconds. Other methods of chunks.Sample are
// those of histograms of another kind, which no series here has.
type sample struct {
	chunks.Sample
	at    int64
	value float64
}

func (s sample) T() int64                 { return s.at }
func (s sample) ST() int64                { return 0 }
func (s sample) F() float64               { return s.value }
func (s sample) Type() chunkenc.ValueType { return chunkenc.ValFloat }

// queryable is what the query engine reads.
func (m *memory) queryable() storage.Queryable {
	return &storage.MockQueryable{MockQuerier: &storage.MockQuerier{
		SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
			found := &seriesSet{SeriesSet: storage.EmptySeriesSet(), next: -1}
			for _, key := range slices.Sorted(maps.Keys(m.series)) {
				s := m.series[key]
				if !slices.ContainsFunc(matchers, func(by *labels.Matcher) bool { return !by.Matches(s.labels.Get(by.Name)) }) {
					found.all = append(found.all, storage.NewListSeries(s.labels, s.samples))
				}
			}
			return found
		},
	}}
}

// A seriesSet is the answer to a selection.
type seriesSet struct {
	storage.SeriesSet
	all  []storage.Series
	next int
}

func (s *seriesSet) Next() bool         { s.next++; return s.next < len(s.all) }
func (s *seriesSet) At() storage.Series { return s.all[s.next] }

// scrape stores the metrics of a registry as Prometheus does when it scrapes them at the
// given time.
func (m *memory) scrape(t *testing.T, from prometheus.Gatherer, at time.Time) {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	add := func(name string, of *dto.Metric, value float64, extra ...string) {
		pairs := append([]string{"__name__", name, "job", "hooks", "instance", "localhost:8080"}, extra...)
		for _, l := range of.GetLabel() {
			pairs = append(pairs, l.GetName(), l.GetValue())
		}
		set := labels.FromStrings(pairs...)
		s := m.series[set.String()]
		if s == nil {
			s = &series{labels: set}
			m.series[set.String()] = s
		}
		s.samples = append(s.samples, sample{at: at.UnixMilli(), value: value})
	}
	for _, f := range families {
		for _, of := range f.GetMetric() {
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				add(f.GetName(), of, of.GetCounter().GetValue())
			case dto.MetricType_GAUGE:
				add(f.GetName(), of, of.GetGauge().GetValue())
			case dto.MetricType_HISTOGRAM:
				h := of.GetHistogram()
				for _, b := range h.GetBucket() {
					if !math.IsInf(b.GetUpperBound(), 1) { // an exemplar adds it
						add(f.GetName()+"_bucket", of, float64(b.GetCumulativeCount()), "le", strconv.FormatFloat(b.GetUpperBound(), 'g', -1, 64))
					}
				}
				add(f.GetName()+"_bucket", of, float64(h.GetSampleCount()), "le", "+Inf")
				add(f.GetName()+"_sum", of, h.GetSampleSum())
				add(f.GetName()+"_count", of, float64(h.GetSampleCount()))
			default:
				t.Fatalf("%s is a %s", f.GetName(), f.GetType())
			}
		}
	}
}
