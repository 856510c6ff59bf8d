package main

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/notice"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/stored"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
)

// A lookup looks at the registry when the program starts, and at intervals: Docker Hub
// does not repeat a request that this host missed.
//
// It takes the place of a dockerhub.CatchUp, which looks at tags that are known by name and
// hands over each new digest of one. A lookup also finds the highest version of a range, and
// compares a digest with what is deployed and what was rolled back.
type lookup struct {
	*deployer
	every time.Duration // zero means at the start only
}

// maxRejected is how many rejected versions a lookup passes over.
const maxRejected = 20

// maxLookups is how many rules are looked up at once: a registry limits who asks more.
const maxLookups = 4

// Run looks until ctx ends.
func (l *lookup) Run(ctx context.Context) error {
	var running sync.WaitGroup
	turns := make(chan struct{}, maxLookups)
	for _, r := range l.rules {
		if r.IsGlob() {
			l.log.Info("not looked up at the start: the registry does not say which tag was pushed last", "rule", r.Text)
			continue
		}
		running.Go(func() { l.watch(ctx, r, turns) })
	}
	<-ctx.Done()
	running.Wait()
	return nil
}

// watch looks for one rule, each time in its turn.
func (l *lookup) watch(ctx context.Context, r rule.Rule, turns chan struct{}) {
	first, since := true, time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case turns <- struct{}{}:
		}
		err := l.look(ctx, r, first)
		<-turns
		if failed := l.noteDenial(ctx, r, err); failed != nil && ctx.Err() == nil {
			l.log.Error("nobody is notified", "rule", r.Text, "reason", failed)
		}
		wait := l.every
		if away, ok := errors.AsType[*target.Unavailable](err); ok {
			wait = away.Wait(l.waits.interval, time.Since(since))
			l.log.Warn("the registry cannot be asked", "rule", r.Text, "again", wait.Round(time.Second), "reason", err)
		} else {
			if err != nil && ctx.Err() == nil {
				l.log.Warn("not looked up", "rule", r.Text, "reason", err)
			}
			first, since = false, time.Now()
		}
		if wait == 0 {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// noteDenial notifies people if the registry denies the lookup, and when that ends.
func (l *lookup) noteDenial(ctx context.Context, r rule.Rule, err error) error {
	waiting := resultsOf(notice.Unchanged, l.registry.Repository(r.Repository), nil, r)
	if err != nil {
		return l.deny(ctx, notice.Lookup, err, waiting...)
	}
	if state, err := l.states.Read(ctx, r.Target); err != nil || state.Denied.By != notice.Lookup {
		return err
	}
	return l.endDenials(ctx, notice.Lookup, waiting...)
}

// look orders a deployment if the registry has another image than the deployed one. At the
// start it orders one in any case, which makes what the rule declares, and changes nothing
// that is as declared. An image that was rejected is not ordered, but the next lower version
// of a range, unless that is older than what is deployed; nor one that has an order which
// waits or runs.
func (l *lookup) look(ctx context.Context, r rule.Rule, first bool) (err error) {
	tags := []dockerhub.Tag{r.Exact}
	if r.IsRange() {
		if tags, err = l.registry.Versions(ctx, r); err != nil {
			return err
		}
	}
	state, err := l.states.Read(ctx, r.Target)
	if err != nil {
		return err
	}
	if state.Rule != r.Text {
		state = stored.State{}
	}
	var rejected []dockerhub.Tag
	for _, tag := range tags {
		if len(rejected) == maxRejected || r.Older(rule.Release{Tag: tag}, state.Deployed) {
			break
		}
		digest, err := l.registry.Digest(ctx, r.Repository, tag)
		if err != nil {
			return err
		}
		identity, err := l.targets[r.Target].Identity(digest)
		if err != nil {
			return err
		}
		if state.Rejected.Has(identity) {
			rejected = append(rejected, tag)
			continue
		}
		deployed := state.Deployed.Tag == tag && state.Identity == identity
		ordered := state.Wanted.Tag == tag && time.Since(state.Wanted.Received) < giveUpAfter
		if (deployed || ordered) && !first {
			break
		}
		return l.inbox.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := l.order(ctx, tx, []rule.Rule{r}, rule.Release{Tag: tag, Received: time.Now()}, "", "")
			return err
		})
	}
	if len(rejected) > 0 {
		l.log.Info("nothing is ordered in place of what was rejected by an earlier attempt", "target", r.Target, "tags", rejected)
	}
	return nil
}
