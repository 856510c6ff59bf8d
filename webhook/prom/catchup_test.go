package prom_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hookhouse/hookhouse/webhook/prom"
)

func TestTheStatusOfACatchUpIsShown(t *testing.T) {
	status := prom.CatchUpStatus{Missing: 1, Found: 7, Settled: 4, Lost: 2, Looks: 9, Looked: time.UnixMilli(1_800_000_000_500), Err: errors.New("denied")}
	catchUps := map[string]func() prom.CatchUpStatus{
		"acme/app": func() prom.CatchUpStatus { return status },
		"acme/new": func() prom.CatchUpStatus { return prom.CatchUpStatus{} },
	}
	c := prom.CatchUps(catchUps)
	delete(catchUps, "acme/app") // is no longer used
	const want = `
# HELP hookhouse_catchup_found_total Events that were found missing.
# TYPE hookhouse_catchup_found_total counter
hookhouse_catchup_found_total{target="acme/app"} 7
hookhouse_catchup_found_total{target="acme/new"} 0
# HELP hookhouse_catchup_last_look_timestamp_seconds When the last look was completed, as Unix time; 0 if none was.
# TYPE hookhouse_catchup_last_look_timestamp_seconds gauge
hookhouse_catchup_last_look_timestamp_seconds{target="acme/app"} 1.8000000005e+09
hookhouse_catchup_last_look_timestamp_seconds{target="acme/new"} 0
# HELP hookhouse_catchup_looks_total Looks that were completed.
# TYPE hookhouse_catchup_looks_total counter
hookhouse_catchup_looks_total{target="acme/app"} 9
hookhouse_catchup_looks_total{target="acme/new"} 0
# HELP hookhouse_catchup_lost_total Events that were found missing and that the sender does not have any more.
# TYPE hookhouse_catchup_lost_total counter
hookhouse_catchup_lost_total{target="acme/app"} 2
hookhouse_catchup_lost_total{target="acme/new"} 0
# HELP hookhouse_catchup_missing Events that are missing now.
# TYPE hookhouse_catchup_missing gauge
hookhouse_catchup_missing{target="acme/app"} 1
hookhouse_catchup_missing{target="acme/new"} 0
# HELP hookhouse_catchup_settled_total Events that were found missing and that the inbox knows now.
# TYPE hookhouse_catchup_settled_total counter
hookhouse_catchup_settled_total{target="acme/app"} 4
hookhouse_catchup_settled_total{target="acme/new"} 0
# HELP hookhouse_catchup_up 1 if the last look worked, or if there was none, else 0.
# TYPE hookhouse_catchup_up gauge
hookhouse_catchup_up{target="acme/app"} 0
hookhouse_catchup_up{target="acme/new"} 1
`
	if err := testutil.CollectAndCompare(c, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
