package publishcrash

import (
	"context"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// An owner creates and deletes endpoints, in the process that survives.
type owner struct {
	account   *account
	inbox     *sqlinbox.Inbox
	url       string
	publisher *publish.Publisher // whose Delete ends what waits
	plain     *publish.Publisher // whose Delete does not
	created   int
	temporary string // the ID of the present one
}

func newOwner(a *account, url string, in *sqlinbox.Inbox, store *sqlstore.Store) *owner {
	return &owner{
		account: a, inbox: in, url: url,
		publisher: newPublisher(in, store), plain: newPublisher(struct{ webhook.Inbox }{in}, store),
	}
}

// createAll creates the endpoints that the trial begins with.
func (o *owner) createAll(ctx context.Context) error {
	for _, e := range []endpoint{{id: "plain"}, {id: "ordered", ordered: true}} {
		if err := o.create(ctx, e); err != nil {
			return err
		}
	}
	return o.createTemporary(ctx)
}

func (o *owner) create(ctx context.Context, e endpoint) error {
	c := publish.Endpoint{
		ID: e.id, URL: o.url + "/" + e.id, Events: []string{"crash.*"}, Ordered: e.ordered, Lanes: concurrency,
		Secrets: []publish.Secret{{Secret: secret}},
	}
	if e.rare { // so slow that events wait
		c.Events, c.Lanes, c.Rate = []string{rare}, 1, 5
	}
	o.account.create(e) // before, since it may receive requests at once
	_, err := o.publisher.Create(ctx, c)
	return err
}

func (o *owner) createTemporary(ctx context.Context) error {
	o.created++
	o.temporary = fmt.Sprintf("temporary%d", o.created)
	return o.create(ctx, endpoint{id: o.temporary, rare: true})
}

// waits reports whether at least n events wait for the temporary endpoint.
func (o *owner) waits(ctx context.Context, n int) bool {
	for _, err := range o.inbox.All(ctx, webhook.Filter{Source: "publish", OrderingKey: o.temporary + "/0", States: []webhook.State{webhook.Blocked}, Limit: n}) {
		if err == nil {
			n--
		}
	}
	return n <= 0
}

// deleteTemporary deletes the temporary endpoint, and what waits for it at once or not.
func (o *owner) deleteTemporary(ctx context.Context, endWaiting bool) error {
	p := o.plain
	if endWaiting {
		p = o.publisher
	}
	o.account.deleteBegins(o.temporary)
	if err := p.Delete(ctx, o.temporary); err != nil {
		return err
	}
	o.account.deleteEnds(o.temporary, time.Now())
	return nil
}
