package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestClaimsAreTimedInEachStateOfATable(t *testing.T) {
	if !theSite.has(inPostgres) {
		return // and newSite said so
	}
	rows, err := measureSnapshots(t.Context(), theSite, 2, 3, []int{10, 20})
	if err != nil {
		t.Fatal(err) // also where a claim finds something
	}
	var out bytes.Buffer
	printSnapshots(&out, rows)
	for _, name := range []string{snapNone, snapOpen, snapEnded, snapAfter} {
		for _, n := range []string{"10", "20"} {
			if !strings.Contains(out.String(), "\n| "+n+" | "+name+" | ") {
				t.Errorf("no row of %s, %s in\n%s", n, name, out.String())
			}
		}
	}
	for _, r := range rows {
		if len(r.took) != 2*3 || r.took[0] <= 0 {
			t.Errorf("%s, %d: %v", r.name, r.jobs, r.took)
		}
	}
	if strings.Contains(out.String(), "NaN") || strings.Contains(out.String(), "Inf") {
		t.Errorf("a figure is missing in\n%s", out.String())
	}
}
