package jobserv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// The bounds of a Client that sets none.
const (
	defaultTimeout   = 30 * time.Second
	defaultMaxAnswer = 8 << 20
	defaultMaxLog    = 256 << 20
)

// A Client reads what the URLs of a notification point at. It calls only the
// servers that [NewClient] was given, since a body may name any host: for
// others the error is [ErrHost], before anything is sent. The token goes to
// these servers and nowhere else.
//
// The notification leaves JobServ before its database transaction is over. What
// is read back at once may still show the build as running: where the two
// differ, the body is right.
//
// Set the fields before use. A Client is safe for concurrent use.
type Client struct {
	// TokenHeader is the header that carries the token as it is, such as
	// "OSF-TOKEN", which Foundries.io asks for. Zero means
	// "Authorization: Bearer <token>".
	TokenHeader string
	// Rehost takes a URL's path and query alone and asks the first server for
	// it. For servers that name themselves by an internal host, such as
	// "http://lci-web". Zero means that such a URL is [ErrHost].
	Rehost bool
	// Timeout bounds a whole call; for a console log the wait for the answer and
	// each wait for more of it. Zero means 30 s.
	Timeout time.Duration
	// MaxAnswer bounds a JSON answer in bytes. Zero means 8 MiB.
	MaxAnswer int64
	// MaxLog bounds a console log in bytes. Zero means 256 MiB.
	MaxLog int64
	// Transport makes the calls. Zero means http.DefaultTransport.
	Transport http.RoundTripper

	token   webhook.Secret
	servers []origin
}

// NewClient returns a Client for the given servers, such as
// "https://api.foundries.io". Scheme, host and port count, a path does not
// matter: with https given, http to the same host is refused. An empty token
// means that none is sent; a JobServ without user management needs none.
//
// The error is [ErrHost] if no server is given, or one is not an absolute http or
// https URL without user information. It does not repeat the URL.
func NewClient(token webhook.Secret, servers ...string) (*Client, error) {
	if len(servers) == 0 {
		return nil, fmt.Errorf("jobserv: new client: %w: no server is named", ErrHost)
	}
	c := &Client{token: token}
	for i, s := range servers {
		o, err := parseOrigin(s)
		if err != nil {
			return nil, fmt.Errorf("jobserv: new client: server %d: %w", i+1, err)
		}
		c.servers = append(c.servers, o)
	}
	return c, nil
}

// A Test is a named group of results of a run.
type Test struct {
	Name    string
	URL     string
	Status  Status
	Context string // empty where the server says null
	Created time.Time
	// Results are there in the answer of [Client.Test] alone.
	Results []TestResult
}

// A TestResult is one result of a [Test].
type TestResult struct {
	Name    string
	Context string // empty where the server says null
	Status  Status
	Output  string // empty where the server says null
}

// Tests returns the tests of a run, without their results. A run without
// [Run.TestsURL] has none, and nothing is asked.
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

// Test returns one test with its results. The URL is that of a [Test].
func (c *Client) Test(ctx context.Context, testURL string) (Test, error) {
	var data struct {
		Test *testAnswer `json:"test"`
	}
	err := c.get(ctx, testURL, &data)
	if err == nil && data.Test == nil {
		err = fmt.Errorf("%w: no test in it", ErrAnswer)
	}
	if err != nil {
		return Test{}, fmt.Errorf("jobserv: test: %w", err)
	}
	return data.Test.test(), nil
}

// Runs returns the runs of a build as they are now.
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

// The failures. Test with errors.Is; the end of a context and a time-out are
// context.Canceled and context.DeadlineExceeded.
var (
	// ErrHost: the URL is not of a server that the Client was given, or a
	// redirect leads where it must not.
	ErrHost = errors.New("host is not allowed")
	// ErrNotFound: the server answered 404. A part of [StatusError].
	ErrNotFound = errors.New("not found")
	// ErrDenied: the server answered 401 or 403. A part of [StatusError].
	ErrDenied = errors.New("access denied")
	// ErrAnswer: the answer is not what JobServ's API promises.
	ErrAnswer = errors.New("unexpected answer")
	// ErrTooLarge: the answer is over MaxAnswer, or the log over MaxLog.
	ErrTooLarge = errors.New("answer is too large")
)

// A StatusError is an answer that is no success. errors.Is finds [ErrNotFound]
// and [ErrDenied] in it.
type StatusError struct {
	Code    int    // the HTTP status; may be 200 where only the envelope speaks of an error
	Message string // what the server says, cut to 256 bytes; may be empty
}

// Error returns the status and the message, quoted.
func (e *StatusError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("status %d", e.Code)
	}
	return fmt.Sprintf("status %d: %q", e.Code, e.Message)
}

// Is reports whether target is the sentinel of the status.
func (e *StatusError) Is(target error) bool {
	switch e.Code {
	case http.StatusNotFound:
		return target == ErrNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == ErrDenied
	default:
		return false
	}
}
