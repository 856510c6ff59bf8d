package jobserv

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Defaults of the fields of a Client.
const (
	defaultTimeout   = 30 * time.Second
	defaultMaxAnswer = 8 << 20
	defaultMaxLog    = 256 << 20
)

// A Client reads the runs, tests and logs that the URLs of a notification refer
// to, and the builds of a project for a [CatchUp].
//
// A body may name any host, so a Client calls only the servers given to
// [NewClient] and sends the token only to them. For any other host it returns
// [ErrHost] before it sends anything, unless Rehost is set.
//
// JobServ sends the notification before it commits its database transaction, so
// an answer may still show the build as running. If the two differ, the body is
// right.
//
// Set the fields before the first call. The methods are safe for concurrent
// use.
type Client struct {
	// TokenHeader is the name of the header that carries the token, such as
	// "OSF-TOKEN" for Foundries.io. If empty, the Client sends
	// "Authorization: Bearer <token>".
	TokenHeader string
	// Rehost makes the Client send a request for an unknown host to the first
	// server instead, with the path and query of the URL. Set it if the server
	// refers to itself by an internal host, such as "http://lci-web". If false,
	// such a URL is [ErrHost].
	Rehost bool
	// Timeout is the maximum duration of a call. For a console log it limits
	// the wait for the answer and each wait for more data instead. Zero means
	// 30 s.
	Timeout time.Duration
	// MaxAnswer is the maximum size of a JSON answer in bytes. Zero means
	// 8 MiB.
	MaxAnswer int64
	// MaxLog is the maximum size of a console log in bytes. Zero means 256 MiB.
	MaxLog int64
	// Transport makes the calls. If nil, the Client uses http.DefaultTransport.
	Transport http.RoundTripper

	token   webhook.Secret
	servers []origin
	pace    *pace
}

// NewClient returns a Client for the given servers, such as
// "https://api.foundries.io". A server is identified by scheme, host and port,
// and its path is ignored: if an https URL is given, http to the same host is
// refused. With an empty token the Client sends none; a JobServ without user
// management needs none.
//
// NewClient returns [ErrHost] if no server is given, or if one is not an
// absolute http or https URL without user information. The error does not
// contain the URL.
func NewClient(token webhook.Secret, servers ...string) (*Client, error) {
	if len(servers) == 0 {
		return nil, fmt.Errorf("jobserv: new client: %w: no server given", ErrHost)
	}
	c := &Client{token: token, pace: newPace()}
	for i, s := range servers {
		o, err := parseOrigin(s)
		if err != nil {
			return nil, fmt.Errorf("jobserv: new client: server %d: %w", i+1, err)
		}
		c.servers = append(c.servers, o)
	}
	return c, nil
}

// A Test is a named group of test results of a run.
type Test struct {
	Name    string
	URL     string
	Status  Status
	Context string // empty if null on the wire
	Created time.Time
	// Results is set by [Client.Test] only.
	Results []TestResult
}

// A TestResult is one result of a [Test].
type TestResult struct {
	Name    string
	Context string // empty if null on the wire
	Status  Status
	Output  string // empty if null on the wire
}

// Tests returns the tests of a run, without their results. If the run has no
// TestsURL, it has no tests and Tests makes no call.
func (c *Client) Tests(ctx context.Context, r Run) ([]Test, error) {
	at, ok := r.TestsURL.Get()
	if !ok || at == "" {
		return nil, nil
	}
	var data struct {
		Tests []testAnswer `json:"tests"`
	}
	if err := c.get(ctx, at, &data); err != nil {
		return nil, fmt.Errorf("jobserv: tests of run %q: %w", r.Name, err)
	}
	tests := make([]Test, len(data.Tests))
	for i, t := range data.Tests {
		tests[i] = t.test()
	}
	return tests, nil
}

// Test returns one test with its results. The testURL is the URL of a [Test].
func (c *Client) Test(ctx context.Context, testURL string) (Test, error) {
	var data struct {
		Test *testAnswer `json:"test"`
	}
	err := c.get(ctx, testURL, &data)
	if err == nil && data.Test == nil {
		err = fmt.Errorf("%w: it contains no test", ErrAnswer)
	}
	if err != nil {
		return Test{}, fmt.Errorf("jobserv: test: %w", err)
	}
	return data.Test.test(), nil
}

// Runs returns the current state of the runs of a build.
func (c *Client) Runs(ctx context.Context, b Build) ([]Run, error) {
	at := b.RunsURL.Or(under(b.APIURL(), "runs/"))
	var data struct {
		Runs []Run `json:"runs"`
	}
	if err := c.get(ctx, at, &data); err != nil {
		return nil, fmt.Errorf("jobserv: runs of build %d: %w", b.BuildID, err)
	}
	return data.Runs, nil
}
