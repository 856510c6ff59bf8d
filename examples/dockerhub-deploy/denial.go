package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/notice"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/rule"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/stored"
	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/target"
)

// deny notifies people if err begins a denial: a delivery, or a lookup, waits until somebody
// changes something.
func (d *deployer) deny(ctx context.Context, by string, err error, waiting ...notice.Result) error {
	if away, ok := errors.AsType[*target.Unavailable](err); !ok || !away.Denied {
		return nil
	}
	return d.changeDenials(ctx, by, waiting, func(s *stored.State, r notice.Result) (notice.Result, bool) {
		r.Outcome, r.Reason = notice.Denied, err.Error()
		return r, s.Denied.Begin(by, time.Now())
	})
}

// endDenials ends the denials of a push or a lookup, unless an order waits that ends them.
func (d *deployer) endDenials(ctx context.Context, by string, results ...notice.Result) error {
	return d.changeDenials(ctx, by, results, func(s *stored.State, r notice.Result) (notice.Result, bool) {
		if s.Denied.By != by || s.Wanted.Tag != "" {
			return r, false
		}
		return s.Denied.End(r), true
	})
}

func (d *deployer) changeDenials(ctx context.Context, by string, all []notice.Result, change func(*stored.State, notice.Result) (notice.Result, bool)) error {
	ctx = context.WithoutCancel(ctx)
	return d.inbox.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, r := range all {
			changed := false
			err := d.states.UpdateTx(ctx, tx, r.Target, func(s *stored.State) { r, changed = change(s, r) })
			if err == nil && changed {
				err = d.putNotices(ctx, tx, fmt.Sprintf("%s-%s-%d", by, r.Target, time.Now().UnixMicro()), r)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// resultsOf returns a result for the target of each rule.
func resultsOf(outcome, image string, err error, rules ...rule.Rule) (all []notice.Result) {
	for _, r := range rules {
		res := notice.Result{Target: r.Target, Rule: r.Text, Image: image, Outcome: outcome}
		if err != nil {
			res.Reason = err.Error()
		}
		all = append(all, res)
	}
	return all
}
