package dotnet_test

import (
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dotnet"
)

func TestStatusName(t *testing.T) {
	for code, want := range map[int]string{
		200: "OK", 201: "Created", 203: "NonAuthoritativeInformation", 204: "NoContent", 404: "NotFound", 410: "Gone",
		414: "RequestUriTooLong", 429: "429", 500: "InternalServerError", 505: "HttpVersionNotSupported", 599: "599",
	} {
		if got := dotnet.StatusName(code); got != want {
			t.Errorf("%d: %q, want %q", code, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2017, 1, 17, 3, 44, 1, 990012000, time.FixedZone("", 3600))
	if got := dotnet.Time(at); got != "2017-01-17T02:44:01.990012Z" {
		t.Errorf("Time: %s", got)
	}
	if got := dotnet.Ticks(at); got != 636202178419900120 {
		t.Errorf("Ticks: %d", got)
	}
}
