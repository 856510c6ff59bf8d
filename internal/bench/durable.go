package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// senderCounts are how many send at once.
var senderCounts = []int{1, 8, 64, 256}

// A durableRun is what the command line of "durable" asks for.
type durableRun struct {
	count    int
	time     time.Duration
	short    bool
	only     string
	senders  string
	others   float64
	dir      string
	profiles string
}

// durable measures acknowledgements of pushes that are kept.
func durable(ctx context.Context, args []string) error {
	var o durableRun
	flags := flag.NewFlagSet("durable", flag.ExitOnError)
	flags.IntVar(&o.count, "count", 6, "passes over everything")
	flags.DurationVar(&o.time, "benchtime", 1200*time.Millisecond, "time for each contender and number of senders in one pass")
	flags.BoolVar(&o.short, "short", false, "one pass of 200ms, for a quick look")
	flags.StringVar(&o.only, "only", "", "contenders whose name has one of these in it, separated by commas")
	flags.StringVar(&o.senders, "senders", "", "numbers of senders, separated by commas (default 1,8,64,256)")
	flags.Float64Var(&o.others, "others", 0, "take a run again, up to 5 times, in which other programs used more processors than this; 0: never")
	flags.StringVar(&o.dir, "dir", "", "folder for the stores (default the system's temporary one); its disk is what is measured")
	flags.StringVar(&o.profiles, "profiles", "", "folder for profiles of each server's process")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.short {
		o.count, o.time = 1, 200*time.Millisecond
	}
	counts, err := numbers(o.senders)
	if err != nil {
		return err
	}
	s, err := newSite(ctx, o.dir)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Printf("%s, SHA-256 at %.0f MB/s, %d passes of %v\n\n",
		machine(), hashRate()/1e6, o.count, o.time)
	rows, err := o.measure(ctx, s, counts)
	if err != nil {
		return err
	}
	for _, n := range counts {
		printKept(os.Stdout, n, rows)
	}
	printKeptAims(os.Stdout, "durable answers", keptAims(rows))
	return nil
}

func numbers(list string) ([]int, error) {
	if list == "" {
		return senderCounts, nil
	}
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number of senders", text)
		}
		all = append(all, n)
	}
	return all, nil
}

// A keepRow is a keeper with so many senders, and what its runs gave.
type keepRow struct {
	keeper
	senders int
	runs    []keepRun
}

// measure goes through all keepers in each pass, beginning with another one.
func (o durableRun) measure(ctx context.Context, s *site, counts []int) ([]*keepRow, error) {
	var rows []*keepRow
	for _, n := range counts {
		for _, k := range keepers {
			if s.has(k.in) && named(k.name, o.only) {
				rows = append(rows, &keepRow{keeper: k, senders: n})
			}
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("nothing is named like %q", o.only)
	}
	each := len(rows) / len(counts)
	for pass := range o.count {
		for i := range rows {
			row := rows[i-i%each+(i+pass)%each]
			r, err := o.run(ctx, s, row)
			if err != nil {
				return nil, fmt.Errorf("%s, %d senders: %w", row.name, row.senders, err)
			}
			row.runs = append(row.runs, r)
		}
	}
	return rows, nil
}

// run runs once, or until others are quiet: then the quietest one counts.
func (o durableRun) run(ctx context.Context, s *site, row *keepRow) (best keepRun, err error) {
	for try := 0; ; try++ {
		r, err := runKeeper(ctx, s, row.keeper, row.senders, o.time, o.profiles)
		if err != nil {
			return r, err
		}
		if try == 0 || r.others < best.others {
			best = r
		}
		if o.others <= 0 || best.others <= o.others || try == 5 {
			return best, nil
		}
	}
}

func named(name, only string) bool {
	return slices.ContainsFunc(strings.Split(only, ","), func(part string) bool { return strings.Contains(name, part) })
}

func (r *keepRow) figures(f func(keepRun) float64) []float64 {
	values := make([]float64, len(r.runs))
	for i, run := range r.runs {
		values[i] = f(run)
	}
	return values
}

func (r *keepRow) rate() []float64 { return r.figures(func(k keepRun) float64 { return k.Rate }) }
func (r *keepRow) p50() []float64  { return r.figures(func(k keepRun) float64 { return ms(k.P50) }) }
func (r *keepRow) p99() []float64  { return r.figures(func(k keepRun) float64 { return ms(k.P99) }) }
func (r *keepRow) server() []float64 {
	return r.figures(func(k keepRun) float64 { return float64(k.server) / 1e3 })
}
func (r *keepRow) database() []float64 {
	return r.figures(func(k keepRun) float64 { return float64(k.database) / 1e3 })
}
func (r *keepRow) processors() []float64 {
	return r.figures(func(k keepRun) float64 { return float64(k.server+k.database) / 1e3 })
}
func (r *keepRow) others() []float64 { return r.figures(func(k keepRun) float64 { return k.others }) }

// findKept returns the row of that name and number of senders, nil where there
// is none.
func findKept(rows []*keepRow, name string, senders int) *keepRow {
	for _, r := range rows {
		if r.name == name && r.senders == senders {
			return r
		}
	}
	return nil
}

// printKept writes the table of one number of senders.
func printKept(w io.Writer, senders int, rows []*keepRow) {
	fmt.Fprintf(w, "### Acknowledgements, pushes of 8 KB, senders: %d\n\n", senders)
	fmt.Fprintln(w, "| | | in | acks/s | most | spread | p50 ms | p99 ms | server CPU µs | database CPU µs | others' CPU |")
	fmt.Fprintln(w, "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, r := range rows {
		if r.senders != senders {
			continue
		}
		database := ""
		if r.in == inPostgres {
			database = fmt.Sprintf("%.0f", median(r.database()))
		}
		fmt.Fprintf(w, "| %s | %s | %s | %.0f | %.0f | %.0f%% | %.2f | %.2f | %.0f | %s | %.2f |\n", r.name, r.kind, r.in,
			median(r.rate()), quantile(r.rate(), 1), 100*spread(r.rate()), median(r.p50()), median(r.p99()), median(r.server()), database, median(r.others()))
	}
	fmt.Fprintln(w)
}
