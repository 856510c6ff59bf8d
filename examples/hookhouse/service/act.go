package service

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// An act is the JSON of what the service is to do.
type act struct {
	UID  string `json:"uid,omitempty"`
	Type string `json:"type,omitempty"`
	Seq  int64  `json:"seq,omitempty"`
	By   string `json:"by"`
	Why  string `json:"why"`
}

// act asks for an act. The service demands who and why.
func (c *Client) act(ctx context.Context, name string, a act) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = c.bytesOf(ctx, http.MethodPost, "api/"+name, nil, bytes.NewReader(text))
	return err
}

// Replay makes a finished delivery run again. If seq is not zero and the delivery has another
// one, because it was replayed since, the error wraps webhook.ErrNotFound or webhook.ErrState.
func (c *Client) Replay(ctx context.Context, uid string, seq int64, n webhook.Note) error {
	return c.act(ctx, "replay", act{UID: uid, Seq: seq, By: n.By, Why: n.Why})
}

// Bury gives up a delivery that waits.
func (c *Client) Bury(ctx context.Context, uid string, n webhook.Note) error {
	return c.act(ctx, "bury", act{UID: uid, By: n.By, Why: n.Why})
}

// Release makes a delivery due now.
func (c *Client) Release(ctx context.Context, uid string, n webhook.Note) error {
	return c.act(ctx, "release", act{UID: uid, By: n.By, Why: n.Why})
}

// Pause stops the claiming of a type, or of all if typ is empty.
func (c *Client) Pause(ctx context.Context, typ string, n webhook.Note) error {
	return c.act(ctx, "pause", act{Type: typ, By: n.By, Why: n.Why})
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context, typ string, n webhook.Note) error {
	return c.act(ctx, "resume", act{Type: typ, By: n.By, Why: n.Why})
}
