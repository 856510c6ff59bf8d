package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

// An order says that a target is behind what is wanted of it. It is a delivery
// of its own, whose ordering key is the target: the calls of Docker Hub are in
// order per image and tag, deploys must be per container, whatever the tags.
// What is wanted stands in the ledger, so that a newer order may take the place
// of one that waits without losing the highest version.
type order struct {
	Target string `json:"target"`
}

func (order) EventType() string { return "deploy.order" }

// pushed turns a call of Docker Hub into orders. The call proves nothing: the
// registry is asked before anything is wanted, so that an invented version
// 99.0.0 does not stand in the way of those that come.
func (d *deployer) pushed(ctx context.Context, e *webhook.Event[dockerhub.Push]) error {
	repository, rel := e.Payload.Repository.RepoName, release{e.Payload.Tag(), e.ReceivedAt}
	var matching []rule
	for _, r := range d.rules {
		if r.matches(repository, rel.tag) {
			matching = append(matching, r)
		}
	}
	if len(matching) == 0 {
		return fmt.Errorf("%w: no rule for %q", webhook.ErrIgnored, e.Payload.Image())
	}
	if _, err := d.registry.digest(ctx, repository, rel.tag); err != nil {
		return verdict(err)
	}
	slices.SortFunc(matching, func(a, b rule) int { return strings.Compare(a.target, b.target) }) // locks in one order
	return d.place(ctx, e.Delivery, matching, rel)
}

// errNewer: all of what a push matches has a newer release already.
var errNewer = errors.New("a newer one is deployed or wanted")

// place commits what is wanted, the orders, and the end of the delivery in one
// transaction.
func (d *deployer) place(ctx context.Context, cause *webhook.Delivery, matching []rule, rel release) error {
	claim, _ := webhook.ClaimFromContext(ctx)
	err := d.inbox.InTx(ctx, func(tx *sql.Tx) error {
		orders := 0
		for _, r := range matching {
			wanted, err := d.ledger.want(ctx, tx, r, rel)
			if err != nil {
				return err
			}
			if !wanted {
				d.log.Info("not deployed: a newer one is there", "target", r.target, "tag", rel.tag)
				continue
			}
			body, err := json.Marshal(order{r.target})
			if err != nil {
				return err
			}
			orders++
			o := webhook.NewDelivery("deploy", order{}.EventType(), r.target, body)
			o.UID = fmt.Sprintf("%s-%d-%s", cause.UID, claim.Fence, r.target) // again where the cause is replayed
			o.Coalesce.Quiet = time.Millisecond                               // takes the place of one that waits for its retry
			if err := d.inbox.PutTx(ctx, tx, o); err != nil && !webhook.IsDuplicate(err) {
				return err
			}
		}
		if orders == 0 {
			return errNewer
		}
		return nil
	})
	if errors.Is(err, errNewer) {
		return fmt.Errorf("%w: %v than %s", webhook.ErrIgnored, err, rel.tag)
	}
	return err
}
