package inspect

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A selectionText is a selection as JSON. Its members are the parameters of the page that asks.
type selectionText struct {
	Source string  `json:"source,omitempty"`
	Type   string  `json:"type,omitempty"`
	Key    string  `json:"key,omitempty"`
	ID     string  `json:"id,omitempty"`
	State  string  `json:"state,omitempty"`
	Text   string  `json:"text,omitempty"`
	Since  string  `json:"since,omitempty"`
	Until  string  `json:"until,omitempty"`
	Before int64   `json:"before,omitempty"`
	Seqs   []int64 `json:"seqs,omitempty"`
}

// parameters returns the members that are set.
func (t selectionText) parameters() url.Values {
	q := make(url.Values)
	for name, value := range map[string]string{
		"source": t.Source, "type": t.Type, "key": t.Key, "id": t.ID, "state": t.State, "text": t.Text, "since": t.Since, "until": t.Until,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if t.Before != 0 {
		q.Set("before", strconv.FormatInt(t.Before, 10))
	}
	for _, seq := range t.Seqs {
		q.Add("seqs", strconv.FormatInt(seq, 10))
	}
	return q
}

// exact returns the selection with exact times and all states.
func (s selection) exact() selectionText {
	if s.seqs != nil {
		return selectionText{Seqs: s.seqs}
	}
	var states []string
	for _, state := range s.filter.States {
		states = append(states, string(state))
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	f := s.filter
	return selectionText{
		Source: f.Source, Type: f.Type, Key: f.OrderingKey, ID: f.ID, State: strings.Join(states, ","), Text: f.Text,
		Since: at(f.From), Until: at(f.To), Before: f.Before,
	}
}
