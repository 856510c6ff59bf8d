package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A row is a row of hookhouse_endpoints.
type row struct {
	seq, revision int64
	id, owner     string
	state         publish.State
	lanes         int
	failingSince  sql.Null[int64]
	doc           string
	sealedBy      string
	secrets       []byte
}

// rowColumns are those that scan reads. The statements endpoint and endpoints have them too.
const rowColumns = "seq, revision, id, owner, state, lanes, failing_since, doc, sealed_by, secrets"

func (r *row) scan(rows *sql.Rows) error { return rows.Scan(r.columns()...) }

// columns are where the rowColumns go.
func (r *row) columns() []any {
	return []any{&r.seq, &r.revision, &r.id, &r.owner, &r.state, &r.lanes, &r.failingSince, &r.doc, &r.sealedBy, &r.secrets}
}

// A document is what is stored of an endpoint as readable JSON.
type document struct {
	Name               string   `json:"name,omitempty"`
	Description        string   `json:"description,omitempty"`
	Host               string   `json:"host"` // of the URL, for people
	Events             []string `json:"events"`
	Scheme             string   `json:"scheme,omitempty"`
	Rate               float64  `json:"rate,omitempty"`
	Ordered            bool     `json:"ordered,omitempty"`
	MaxAttempts        int      `json:"max_attempts,omitempty"`
	InsecureSkipVerify bool     `json:"insecure_skip_verify,omitempty"`
	Reason             string   `json:"reason,omitempty"`
	Since              int64    `json:"since"`
	Created            int64    `json:"created"`
}

// secrets are what may be secret of an endpoint. A webhook.Secret marshals as REDACTED.
type secrets struct {
	URL     string            `json:"url"`
	Header  http.Header       `json:"header,omitempty"`
	Meta    map[string]string `json:"meta,omitempty"`
	Secrets []secret          `json:"secrets,omitempty"`
}

type secret struct {
	Bytes []byte `json:"bytes"`
	Until int64  `json:"until,omitempty"`
}

// columns returns the arguments of a row for e, which must be valid and as it is stored.
func (s *Store) columns(e *publish.Endpoint) (args, error) {
	sealer, err := s.sealer()
	if err != nil {
		return nil, err
	}
	doc, err := json.Marshal(document{
		Name: e.Name, Description: e.Description, Host: host(e.URL), Events: e.Events, Scheme: e.Scheme, Rate: e.Rate, Ordered: e.Ordered,
		MaxAttempts: e.MaxAttempts, InsecureSkipVerify: e.InsecureSkipVerify, Reason: e.Reason,
		Since: e.Since.UnixMicro(), Created: e.Created.UnixMicro(),
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: endpoint %q: %w", e.ID, err)
	}
	kept := secrets{URL: e.URL, Header: e.Header, Meta: e.Meta}
	for _, s := range e.Secrets {
		kept.Secrets = append(kept.Secrets, secret{s.Reveal(), micro(s.Until).V})
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: endpoint %q: its secrets cannot be encoded", e.ID)
	}
	return args{
		"id": e.ID, "owner": e.Owner, "name_key": publish.FoldName(e.Name), "state": string(e.State), "lanes": e.Lanes,
		"failing_since": micro(e.FailingSince), "doc": string(doc), "sealed_by": sealer.label(), "secrets": sealer.seal(e.ID, text),
	}, nil
}

// endpoint returns the endpoint of a row, without its last attempt.
func (s *Store) endpoint(r row) (*publish.Endpoint, error) {
	sealer, err := s.sealer()
	if err != nil {
		return nil, err
	}
	text, err := sealer.open(r.id, r.sealedBy, r.secrets)
	if err != nil {
		return nil, err
	}
	var d document
	var kept secrets
	if json.Unmarshal([]byte(r.doc), &d) != nil || json.Unmarshal(text, &kept) != nil {
		return nil, fmt.Errorf("sqlstore: the row of endpoint %q is damaged", r.id)
	}
	e := &publish.Endpoint{
		ID: r.id, Owner: r.owner, Name: d.Name, Description: d.Description, URL: kept.URL, Events: d.Events, Scheme: d.Scheme,
		Header: kept.Header, Rate: d.Rate, Lanes: r.lanes, Ordered: d.Ordered, MaxAttempts: d.MaxAttempts,
		InsecureSkipVerify: d.InsecureSkipVerify, Meta: kept.Meta, State: r.state, Reason: d.Reason,
		Since: time.UnixMicro(d.Since), Created: time.UnixMicro(d.Created), FailingSince: timeOf(r.failingSince), Seq: r.seq,
	}
	for _, k := range kept.Secrets {
		until := timeOf(sql.Null[int64]{V: k.Until, Valid: k.Until != 0})
		e.Secrets = append(e.Secrets, publish.Secret{Secret: webhook.NewSecret(string(k.Bytes)), Until: until})
	}
	return e, nil
}

// page reads rows in the order of their creation. The condition has arguments by name.
func (s *Store) page(ctx context.Context, condition string, a args, n int) (rows []row, err error) {
	a["page"] = n
	text := "SELECT " + rowColumns + " FROM hookhouse_endpoints WHERE " + condition + " ORDER BY seq LIMIT @page + 0"
	err = s.read(ctx, "list", statement.Compile(text, s.dialect.syntax), a, func() { rows = nil }, func(r *sql.Rows) error {
		var next row
		err := next.scan(r)
		rows = append(rows, next)
		return err
	})
	return rows, err
}

// host is what people may see of a URL.
func host(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Host
	}
	return ""
}

// micro is a time as a column has it: NULL if it is zero.
func micro(at time.Time) sql.Null[int64] {
	if at.IsZero() {
		return sql.Null[int64]{}
	}
	return sql.Null[int64]{V: at.UnixMicro(), Valid: true}
}

func timeOf(at sql.Null[int64]) time.Time {
	if !at.Valid {
		return time.Time{}
	}
	return time.UnixMicro(at.V)
}
