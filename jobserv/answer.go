package jobserv

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/hookhouse/hookhouse/internal/api"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// get fetches a URL and decodes the data of its JSON answer into data.
func (c *Client) get(ctx context.Context, from string, data any) error {
	resp, text, err := c.read(ctx, from, api.OrDefault(c.MaxAnswer, defaultMaxAnswer))
	if err != nil {
		return err
	}
	return readEnvelope(resp.StatusCode, text, data)
}

// read fetches a URL and returns its answer, whatever its status, with at most
// limit bytes of its text.
func (c *Client) read(ctx context.Context, from string, limit int64) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	resp, err := c.open(ctx, from, false, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := api.ReadAll(ctx, resp.Body, limit, ErrTooLarge)
	if err != nil {
		return nil, nil, err
	}
	return resp, text, nil
}

// An envelope wraps every answer, as in the JSend format. JobServ reports every
// failure as "error" and never as "fail", which JSend has too; this package
// accepts both as a failure.
type envelope struct {
	Status  string          `json:"status"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// readEnvelope decodes the data of an answer into data.
func readEnvelope(code int, text []byte, data any) error {
	if !api.IsSuccess(code) {
		return statusError(code, text)
	}
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return fmt.Errorf("%w: not a JSON envelope", ErrAnswer)
	}
	switch {
	case e.Status == "error" || e.Status == "fail":
		return &StatusError{Code: code, Message: api.Message(e.Message)}
	case e.Status != "success":
		return fmt.Errorf("%w: envelope has an unknown status", ErrAnswer)
	case len(e.Data) == 0 || string(e.Data) == "null":
		return fmt.Errorf("%w: no data", ErrAnswer)
	}
	if err := json.Unmarshal(e.Data, data); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}

// A testAnswer is the wire format of a Test (JobServ: Test.as_json).
type testAnswer struct {
	Name    string    `json:"name"`
	URL     string    `json:"url"`
	Status  Status    `json:"status"`
	Context string    `json:"context"` // null reads as empty
	Created wire.Time `json:"created"`
	Results []struct {
		Name    string `json:"name"`
		Context string `json:"context"`
		Status  Status `json:"status"`
		Output  string `json:"output"`
	} `json:"results"`
}

func (a testAnswer) test() Test {
	t := Test{Name: a.Name, URL: a.URL, Status: a.Status, Context: a.Context, Created: a.Created.Time}
	for _, r := range a.Results {
		t.Results = append(t.Results, TestResult(r))
	}
	return t
}
