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

// A deployRequest requests the deployment of the release that is wanted for a
// target. It is a delivery of its own, with the target as its ordering key: Docker
// Hub's deliveries are ordered by image and tag, but deployments must be ordered by
// container, whatever the tag. The wanted release is in the stateStore, so a newer
// request can replace a waiting one without losing the highest version.
type deployRequest struct {
	Target string `json:"target"`
}

func (deployRequest) EventType() string { return "deploy.order" }

// handlePush creates the deploy requests for a push. Docker Hub's request proves
// nothing, so handlePush first checks that the registry has the tag: an invented
// version 99.0.0 must not block later real ones.
func (d *deployer) handlePush(ctx context.Context, e *webhook.Event[dockerhub.Push]) error {
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
		return deliveryError(err)
	}
	slices.SortFunc(matching, func(a, b rule) int { return strings.Compare(a.target, b.target) }) // lock rows in the same order in every transaction
	return d.enqueue(ctx, e.Delivery, matching, rel)
}

// errSuperseded means that every target of a push has a newer release.
var errSuperseded = errors.New("a newer release is deployed or wanted")

// enqueue records the wanted releases, stores the deploy requests, and settles the
// delivery in one transaction.
func (d *deployer) enqueue(ctx context.Context, push *webhook.Delivery, matching []rule, rel release) error {
	claim, _ := webhook.ClaimFromContext(ctx)
	err := d.inbox.InTx(ctx, func(tx *sql.Tx) error {
		requests := 0
		for _, r := range matching {
			wanted, err := d.states.setWanted(ctx, tx, r, rel)
			if err != nil {
				return err
			}
			if !wanted {
				d.log.Info("not deployed: a newer release is deployed or wanted", "target", r.target, "tag", rel.tag)
				continue
			}
			body, err := json.Marshal(deployRequest{r.target})
			if err != nil {
				return err
			}
			requests++
			o := webhook.NewDelivery("deploy", deployRequest{}.EventType(), r.target, body)
			o.UID = fmt.Sprintf("%s-%d-%s", push.UID, claim.Fence, r.target) // a replay of the push makes a new request
			o.Coalesce.Quiet = time.Millisecond                              // replaces a request that waits for its retry
			if err := d.inbox.PutTx(ctx, tx, o); err != nil && !webhook.IsDuplicate(err) {
				return err
			}
		}
		if requests == 0 {
			return errSuperseded
		}
		return nil
	})
	if errors.Is(err, errSuperseded) {
		return fmt.Errorf("%w: %s: %v", webhook.ErrIgnored, rel.tag, err)
	}
	return err
}
