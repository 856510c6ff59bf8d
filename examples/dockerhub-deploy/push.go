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
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/notice"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/stored"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
	"github.com/hookhouse/hookhouse/webhook"
)

// A deployOrder orders the deployment of the release that is wanted for a
// target. It is a delivery of its own, with the target as its ordering key: Docker
// Hub's deliveries are ordered by image and tag, but deployments must be ordered by
// target, whatever the tag. The wanted release is in the stateStore, so a newer
// order can replace a waiting one without losing the highest version.
type deployOrder struct {
	Target string `json:"target"`
}

func (deployOrder) EventType() string { return "deploy.order" }

// handlePush orders the deployments for a push. Docker Hub's request proves
// nothing, so handlePush first checks that the registry has the tag: an invented
// version 99.0.0 must not block later real ones.
func (d *deployer) handlePush(ctx context.Context, e *webhook.Event[dockerhub.Push]) error {
	repository, rel := e.Payload.Repository.RepoName, rule.Release{Tag: e.Payload.Tag(), Received: e.ReceivedAt}
	var matching []rule.Rule
	watched := false
	for _, r := range d.rules {
		watched = watched || r.Repository == repository
		if r.Matches(repository, rel.Tag) {
			matching = append(matching, r)
		}
	}
	if len(matching) == 0 {
		if watched {
			log := d.log.With("image", e.Payload.Image())
			if rule.LeadingZero(rel.Tag) {
				log = log.With("hint", "a number with a leading zero is no version: a range never takes it, but a glob does")
			}
			log.Info("no rule takes this tag")
		}
		return fmt.Errorf("%w: no rule for %q", webhook.ErrIgnored, e.Payload.Image())
	}
	image := d.registry.Repository(repository) + ":" + string(rel.Tag)
	digest, err := d.registry.Digest(ctx, repository, rel.Tag)
	if away, ok := errors.AsType[*target.Unavailable](err); ok {
		if err := d.deny(ctx, e.UID, err, resultsOf(notice.Denied, image, nil, matching...)...); err != nil {
			return err
		}
		if err = d.waits.settle(ctx, d.inbox, away, err); !webhook.IsPermanent(err) {
			return err
		}
	}
	if err != nil {
		return errors.Join(deliveryError(err), d.endDenials(ctx, e.UID, resultsOf(notice.Failed, image, err, matching...)...))
	}
	claim, _ := webhook.ClaimFromContext(ctx)
	cause := fmt.Sprintf("%s-%d", e.UID, claim.Fence) // a replay of the push makes a new order
	ordered := 0
	err = d.inbox.InTx(ctx, func(tx *sql.Tx) (err error) {
		if ordered, err = d.order(ctx, tx, matching, rel, digest, cause); err == nil && ordered == 0 {
			err = errSuperseded
		}
		return err
	})
	if err != nil && !errors.Is(err, errSuperseded) {
		return err
	}
	if failed := d.endDenials(ctx, e.UID, resultsOf(notice.Unchanged, image, err, matching...)...); failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %v", webhook.ErrIgnored, rel.Tag, err)
	}
	return nil
}

// errSuperseded means that every target of a push has a newer release.
var errSuperseded = errors.New("a newer release is deployed or wanted")

// order records that a release is wanted and stores the orders, unless a newer release is
// wanted or deployed. For a push, digest is that of its image, and cause its UID; both are
// empty for a lookup. It returns the number of orders.
func (d *deployer) order(ctx context.Context, tx *sql.Tx, by []rule.Rule, rel rule.Release, digest, cause string) (ordered int, err error) {
	slices.SortFunc(by, func(a, b rule.Rule) int { return strings.Compare(a.Target, b.Target) }) // lock rows in the same order in every transaction
	for _, r := range by {
		wanted, pushed := false, ""
		if digest != "" {
			pushed, _ = d.targets[r.Target].Identity(digest) // the order reports options that are refused
		}
		err := d.states.UpdateTx(ctx, tx, r.Target, func(s *stored.State) { wanted = s.Want(r, rel, pushed) })
		if err != nil {
			return ordered, err
		}
		if !wanted {
			d.log.Info("not deployed: a newer release is deployed or wanted", "target", r.Target, "tag", rel.Tag)
			continue
		}
		body, err := json.Marshal(deployOrder{r.Target})
		if err != nil {
			return ordered, err
		}
		o := webhook.NewDelivery("deploy", deployOrder{}.EventType(), r.Target, body)
		if cause != "" {
			o.UID = cause + "-" + r.Target
		}
		o.ReceivedAt = time.Now()
		o.Coalesce = webhook.NewestOnly() // replaces an order that waits for its retry
		if err := d.inbox.PutTx(ctx, tx, o); err != nil && !webhook.IsDuplicate(err) {
			return ordered, err
		}
		ordered++
	}
	return ordered, nil
}
