package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// A Send lets people send the body of a delivery, or another one, to a URL, signed with a key
// for tests. Set its fields before use.
//
//		inspector.Send = &inspect.Send{
//			Keys:  []inspect.TestKey{{Name: "staging", Sender: "github", Secret: secret}},
//			Hosts: []string{"staging.example.com"},
//		}
//
//	  - A request is made once. Redirects are not followed, and no proxy of the environment is
//	    used.
//	  - Two are sent at a time.
//	  - Neither a key nor a signature is shown. If the answer repeats one, it is redacted,
//	    unless the answer has it in another form, such as in hexadecimal digits.
type Send struct {
	// Keys are the keys to choose from. Their names must differ. Use keys of services for
	// tests: who may use the inspector can sign any body with them.
	Keys []TestKey
	// Hosts are the hosts that may be called, such as "staging.example.com", without a port,
	// in any case. "*" allows all that Guard allows; then who may use the inspector can read
	// the keys of Docker Hub and Kudu, which are sent as tokens, at a host of their own. If
	// nil, none may be called.
	Hosts []string
	// Guard decides which addresses may be called. Its zero value refuses those of private
	// networks and of this machine, and the scheme http. It judges the address of each
	// connection, so a name that suddenly resolves to another address does not lead there.
	Guard addrguard.Guard
	// Timeout bounds a request with its answer. It must be shorter than the WriteTimeout of
	// the server of the inspector. Zero means 10 seconds.
	Timeout time.Duration
}

// A TestKey signs requests as one sender does.
type TestKey struct {
	Name string // that people see
	// Sender is one of
	//
	//	github     the headers and signatures of GitHub
	//	jobserv    those of JobServ
	//	dockerhub  the secret takes the place of {token} in the path of the URL, or is the
	//	           query parameter token if that is there; otherwise it is the password of
	//	           the user "hook", in Basic authentication
	//	kudu       the same
	//	standard   Standard Webhooks; the secret begins with whsec_ or whsk_
	Sender string
	Secret webhook.Secret
}

const (
	// sendSlots is how many requests are sent at a time. Each may have a body of its
	// delivery, which is no longer counted by bodySlots.
	sendSlots          = 2
	defaultSendTimeout = 10 * time.Second
	// maxEdited is the largest body that can be edited, and maxSendForm bounds the form or
	// the JSON that has it, in which a byte may take six.
	maxEdited   = 256 << 10
	maxSendForm = 6*maxEdited + maxForm
	// maxURL is that of addrguard. An act keeps the host.
	maxURL = 2048
	// maxHeader bounds the name of an event and a Content-Type.
	maxHeader = 200
)

// key returns the key with a name.
func (s *Send) key(name string) (k TestKey, err error) {
	if err := s.validate(); err != nil {
		return k, err
	}
	i := slices.IndexFunc(s.Keys, func(k TestKey) bool { return k.Name == name })
	if i < 0 {
		return k, badRequest("there is no key %.64q", name)
	}
	return s.Keys[i], nil
}

// validate returns an error if the program has set what cannot be used.
func (s *Send) validate() error {
	seen := make(map[string]bool)
	for _, k := range s.Keys {
		fault := ""
		switch {
		case k.Name == "" || checkText("name", k.Name) != nil:
			fault = "has no name of up to 512 bytes"
		case seen[k.Name]:
			fault = "is there twice"
		case signers[k.Sender] == nil:
			fault = fmt.Sprintf("is of the sender %q, which does not exist", k.Sender)
		case k.Secret.IsZero():
			fault = "has no secret"
		case k.Sender == "standard":
			if err := (&webhook.StandardWebhooks{Keys: webhook.Keys(k.Secret)}).Validate(); err != nil {
				fault = "has no secret of Standard Webhooks"
			}
		}
		if fault != "" {
			return requestError{http.StatusInternalServerError, fmt.Sprintf("the key %.64q in Inspector.Send %s", k.Name, fault)}
		}
		seen[k.Name] = true
	}
	return nil
}

// target checks the URL of a request.
func (s *Send) target(ctx context.Context, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return badRequest("url is no URL such as https://staging.example.com/hooks")
	}
	allowed := slices.ContainsFunc(s.Hosts, func(h string) bool { return h == "*" || strings.EqualFold(h, u.Hostname()) })
	if !allowed {
		return requestError{http.StatusForbidden, fmt.Sprintf("the host %.64q may not be called; the program allows those in Inspector.Send", u.Hostname())}
	}
	_, err = s.Guard.URL(ctx, text)
	if errors.Is(err, addrguard.ErrURL) {
		return badRequest("%s", strings.TrimPrefix(err.Error(), "addrguard: "))
	}
	return err
}

// A sending is what a person wants to send.
type sending struct {
	Key, URL string
	UID      string  // of the delivery that is sent; empty if none
	Body     *string // in its place; nil: that of the delivery
	Event    string  // for GitHub; empty: that of the delivery, or push
	Type     string  // the Content-Type; empty: that of the delivery, or JSON
	KeepID   bool    // of the delivery, instead of a new one
	By, Why  string
}

// send does what a person asks for, and records it, also if it fails.
func (in *Inspector) send(c call, s sending) (a answer, err error) {
	if s.By, err = in.mayAct(c, s.By, s.Why); err != nil {
		return a, err
	}
	key, err := in.Send.key(s.Key)
	if err != nil {
		return a, err
	}
	if err := s.check(); err != nil {
		return a, err
	}
	select {
	case in.sends <- struct{}{}:
		defer func() { <-in.sends }()
	default:
		return a, requestError{http.StatusServiceUnavailable, "others are sending; try again"}
	}
	// A viewer who leaves must not cut it off: what arrived would not be known.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), cmp.Or(in.Send.Timeout, defaultSendTimeout))
	defer cancel()
	a, err = in.sendOnce(ctx, key, s)
	done := act{Act: "send", UID: s.UID, Of: fmt.Sprintf("to %s with the key %s", hostOf(s.URL), key.Name), By: s.By, Why: s.Why}
	if err != nil {
		_, done.Error = in.explain(c.Request, err)
	} else {
		done.Result = fmt.Sprintf("%d in %d ms", a.Status, a.TookMS)
	}
	done = in.acts.add(done)
	in.logger().Info("inspector: send", "uid", s.UID, "host", hostOf(s.URL), "key", key.Name, "by", s.By, "why", done.Why, "result", done.Result, "error", done.Error)
	return a, err
}

// check checks what can be checked without a look at the store.
func (s sending) check() error {
	if err := needText("uid", s.UID, false); err != nil {
		return err
	}
	for name, value := range map[string]string{"event": s.Event, "content_type": s.Type} {
		if !isHeaderText(value) {
			return badRequest("%s must have up to %d printable ASCII characters", name, maxHeader)
		}
	}
	switch {
	case len(s.URL) > maxURL:
		return badRequest("url has %d bytes; the limit is %d", len(s.URL), maxURL)
	case s.UID == "" && s.Body == nil:
		return badRequest("body or uid is missing")
	case s.Body != nil && len(*s.Body) > maxEdited:
		return badRequest("body has %d bytes; the limit is %d", len(*s.Body), maxEdited)
	case s.KeepID && s.UID == "":
		return badRequest("there is no delivery whose ID could be kept")
	}
	return nil
}

// content returns the body to send, and the delivery that it is of.
func (in *Inspector) content(ctx context.Context, s sending) (body []byte, d *webhook.Delivery, err error) {
	d = new(webhook.Delivery)
	if s.UID != "" {
		r, release, err := in.get(ctx, s.UID)
		if err != nil {
			return nil, nil, err
		}
		release() // sendSlots bounds those that are sent
		if r.Err != nil {
			return nil, nil, requestError{http.StatusConflict, "the stored delivery cannot be read in full"}
		}
		d = r.Delivery
	}
	if s.Body != nil {
		return []byte(*s.Body), d, nil
	}
	return d.Body, d, nil
}

// hostOf returns the scheme and the host of a URL. The rest may have a token.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "no URL"
	}
	return u.Scheme + "://" + u.Host
}
