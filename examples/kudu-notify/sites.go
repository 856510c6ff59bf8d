package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// A site is one that the program subscribes itself to: an app or a slot.
type site struct {
	url         string // normalized by readURL
	credentials kudu.CredentialsFunc
}

// A repeated flag is set once for each site, or once for all of them.
type repeated []string

func (r *repeated) String() string { return strings.Join(*r, " ") }

func (r *repeated) Set(value string) error {
	*r = append(*r, value)
	return nil
}

// at returns the value for the ith site.
func (r repeated) at(i int) string {
	if len(r) > 1 {
		return r[i]
	}
	return strings.Join(r, "")
}

// readSites reads the sites with their credentials. Users, passwords and tokens are
// one for all sites, or one for each in the order of -site.
func readSites(urls, users repeated, getenv func(string) string) ([]site, error) {
	if len(urls) == 0 {
		return nil, errors.New("-site is missing; see -help")
	}
	passwords, passwordsErr := secretLines(getenv, "KUDU_PASSWORD")
	tokens, tokensErr := secretLines(getenv, "KUDU_TOKEN")
	if err := errors.Join(passwordsErr, tokensErr); err != nil {
		return nil, err
	}
	if (len(passwords) == 0) == (len(tokens) == 0) {
		return nil, errors.New("set either KUDU_PASSWORD or KUDU_TOKEN to sign in at the site")
	}
	for name, list := range map[string][]string{"-user": users, "KUDU_PASSWORD": passwords, "KUDU_TOKEN": tokens} {
		if len(list) > 1 && len(list) != len(urls) {
			return nil, fmt.Errorf("%d values of %s for %d sites: give one for all sites, or one for each", len(list), name, len(urls))
		}
	}
	var sites []site
	known := make(map[string]bool)
	for i, text := range urls {
		url, err := readURL("-site", text)
		if err != nil {
			return nil, err
		}
		if known[url] {
			return nil, fmt.Errorf("-site %s is set twice", url)
		}
		known[url] = true
		credentials := kudu.Bearer(webhook.NewSecret(repeated(tokens).at(i)))
		if len(tokens) == 0 {
			if users.at(i) == "" {
				return nil, errors.New("KUDU_PASSWORD requires -user, such as '$app'")
			}
			credentials = kudu.Basic(users.at(i), webhook.NewSecret(repeated(passwords).at(i)))
		}
		sites = append(sites, site{url, credentials})
	}
	return sites, nil
}
