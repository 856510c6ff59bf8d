package inspect

import (
	"context"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// charted is how many of the newest deliveries the chart has.
	charted     = 1000
	chartBars   = 48
	chartHeight = 48
	barWidth    = 10
	// chartFor is how old a chart may be.
	chartFor = 10 * time.Second
)

// chartSpans are the times that a chart can span. It is the shortest that has nine tenths
// of the deliveries: one that was received long ago may have been replayed just now.
var chartSpans = []time.Duration{
	10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 120 * 24 * time.Hour,
}

// A chart has the newest deliveries by the time at which they were received, and which of
// them have failed: dead letters, and those that wait for another attempt.
type chart struct {
	Bars          []bar
	Count, Failed int
	From, To      time.Time
	Width, Height int
	All           bool // it has all deliveries, and not only the newest
}

// A bar is a rectangle of a chart. The failed ones are its lower part.
type bar struct{ X, Y, Height, FailedY, FailedHeight int }

func (in *Inspector) charted(ctx context.Context) (chart, error) {
	return in.chart.get(ctx, chartFor, func(ctx context.Context) (chart, error) {
		newest, err := in.read(ctx, webhook.Filter{Limit: charted})
		return chartOf(newest, time.Now()), err
	})
}

// chartOf returns the chart of the newest deliveries.
func chartOf(newest []webhook.Record, now time.Time) chart {
	c := chart{To: now, Width: chartBars * barWidth, Height: chartHeight, All: len(newest) < charted}
	var ages []time.Duration
	for _, r := range newest {
		ages = append(ages, now.Sub(r.Delivery.ReceivedAt))
	}
	slices.Sort(ages)
	span := chartSpans[len(chartSpans)-1]
	for _, s := range slices.Backward(chartSpans) {
		if len(ages) > 0 && ages[(len(ages)-1)*9/10] < s {
			span = s
		}
	}
	c.From = now.Add(-span)
	var all, failed [chartBars]int
	highest := 0
	for _, r := range newest {
		age := max(now.Sub(r.Delivery.ReceivedAt), 0)
		if age >= span {
			continue
		}
		i := chartBars - 1 - int(age*chartBars/span)
		all[i]++
		c.Count++
		if r.State == webhook.Dead || r.State == webhook.Waiting && r.Attempt > 0 {
			failed[i]++
			c.Failed++
		}
		highest = max(highest, all[i])
	}
	for i := range all {
		if all[i] == 0 {
			continue
		}
		b := bar{X: i * barWidth, Height: height(all[i], highest), FailedHeight: height(failed[i], highest)}
		b.Y, b.FailedY = chartHeight-b.Height, chartHeight-b.FailedHeight
		c.Bars = append(c.Bars, b)
	}
	return c
}

// height returns the height of a bar, at least two unless n is zero.
func height(n, highest int) int {
	if n == 0 {
		return 0
	}
	return max(2, n*chartHeight/highest)
}
