// Package dotnet writes what .NET writes, for the packages that answer as Kudu does.
package dotnet

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// NeverSet is the form in which Json.NET writes a time that was never set.
const NeverSet = "0001-01-01T00:00:00"

// unixEpoch is 1970-01-01 in ticks.
const unixEpoch = 621355968000000000

// Ticks returns a time in units of 100 ns since the year 1, as DateTime.Ticks.
func Ticks(t time.Time) int64 { return unixEpoch + t.UnixNano()/100 }

// Time returns a time in UTC as Json.NET writes it: with up to seven fractional digits,
// without zeros at the end.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.9999999Z") }

// StatusName returns the name of a code in HttpStatusCode, or its digits if .NET Framework
// has no name for it.
func StatusName(code int) string {
	switch {
	case code == http.StatusRequestURITooLong:
		return "RequestUriTooLong"
	case code == http.StatusHTTPVersionNotSupported:
		return "HttpVersionNotSupported"
	case code <= 101, 200 <= code && code <= 206, 300 <= code && code <= 305, code == 307,
		400 <= code && code <= 417, code == 426, 500 <= code && code <= 505:
		return strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(code))
	default:
		return strconv.Itoa(code)
	}
}
