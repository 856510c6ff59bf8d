package kudutest

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/internal/dotnet"
	"github.com/hookhouse/hookhouse/kudu"
)

// defaultKeep is Kudu's MaxSuccessDeploymentResults (Kudu: DeploymentManager.cs).
const defaultKeep = 10

// A kept is a deployment with its place in the order of its receipt.
type kept struct {
	kudu.Deployment
	number int64 // of the record
}

// Record lists d without a call of hooks: one that is in progress, or whose
// sources could not be fetched. It replaces the deployment with the ID of d, as
// a redeployment does. The site makes a deployment that succeeds the active one,
// and purges others as Kudu does.
func (s *Server) Record(d kudu.Deployment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touch()
	s.kept = slices.DeleteFunc(s.kept, func(k kept) bool { return k.ID == d.ID })
	s.kept = append(s.kept, kept{d, s.modified})
	slices.SortStableFunc(s.kept, func(a, b kept) int {
		return cmp.Or(b.ReceivedTime.Compare(a.ReceivedTime.Time), cmp.Compare(b.number, a.number))
	})
	if d.Status.Succeeded() {
		s.active = d.ID
	}
	s.purge()
}

// RemoveDeployment removes the deployment with the ID, as DELETE
// /api/deployments/{id} does.
func (s *Server) RemoveDeployment(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touch()
	s.kept = slices.DeleteFunc(s.kept, func(k kept) bool { return k.ID == id })
}

// Deployments returns what is listed. The caller owns the slice.
func (s *Server) Deployments() []kudu.Deployment {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]kudu.Deployment, len(s.kept))
	for i, k := range s.kept {
		list[i] = k.Deployment
	}
	return list
}

// touch notes that a deployment has changed. Kudu uses the time at which a file
// was written, so that two changes within the resolution of its clock may have
// the same ETag; here they differ.
func (s *Server) touch() { s.modified = max(s.modified+1, dotnet.Ticks(s.now())) }

// purge removes the deployments that Kudu does not keep.
func (s *Server) purge() {
	succeeded := 0
	first := true
	s.kept = slices.DeleteFunc(s.kept, func(k kept) bool {
		isFirst := first
		first = false
		ended := k.Status == kudu.StatusFailed || k.Status.Succeeded()
		switch {
		case k.Status.Succeeded(), k.LastSuccessEndTime.Valid():
			succeeded++
			return succeeded > cmp.Or(s.Keep, defaultKeep) && ended && k.ID != s.active
		default:
			return k.Status == kudu.StatusFailed && !isFirst
		}
	})
}

// A listedDeployment is a deployment in the list (Kudu: DeployResult.cs).
type listedDeployment struct {
	ID                 string  `json:"id"`
	Status             int     `json:"status"`
	StatusText         string  `json:"status_text"`
	AuthorEmail        string  `json:"author_email"`
	Author             string  `json:"author"`
	Deployer           string  `json:"deployer"`
	Message            string  `json:"message"`
	Progress           string  `json:"progress"`
	ReceivedTime       any     `json:"received_time"` // a time, as those below
	StartTime          any     `json:"start_time"`
	EndTime            any     `json:"end_time"`
	LastSuccessEndTime any     `json:"last_success_end_time"`
	Complete           bool    `json:"complete"`
	Active             bool    `json:"active"`
	IsTemporary        bool    `json:"is_temp"`
	IsReadOnly         bool    `json:"is_readonly"`
	URL                string  `json:"url"`
	LogURL             string  `json:"log_url"`
	SiteName           string  `json:"site_name"`
	ProvisioningState  *string `json:"provisioningState"`
}

// listDeployments is the route of the list.
func (s *Server) listDeployments(r *http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.URL.RequestURI())) // never fails
	etag := fmt.Sprintf(`"%x"`, h.Sum64()^uint64(s.modified))
	if r.Header.Get("If-None-Match") == etag {
		return reply{status: http.StatusNotModified, header: http.Header{"Etag": {etag}}}
	}
	list := make([]listedDeployment, len(s.kept))
	for i, k := range s.kept {
		url := baseURL(r) + "/api/deployments/" + k.ID
		list[i] = listedDeployment{
			ID: k.ID, Status: number(k.Status), StatusText: k.StatusText, AuthorEmail: k.AuthorEmail, Author: k.Author,
			Deployer: k.Deployer, Message: k.Message, Progress: k.Progress,
			ReceivedTime: orNeverSet(k.ReceivedTime), StartTime: orNeverSet(k.StartTime),
			EndTime: k.EndTime, LastSuccessEndTime: k.LastSuccessEndTime,
			Complete: k.Complete, Active: k.ID == s.active, IsTemporary: k.IsTemporary, IsReadOnly: k.IsReadOnly,
			URL: url, LogURL: url + "/log", SiteName: k.SiteName,
		}
	}
	answer := encode(http.StatusOK, list)
	answer.header = http.Header{"Etag": {etag}}
	return answer
}

// number returns the number of a status (Kudu: DeployStatus.cs).
func number(status kudu.Status) int {
	return max(0, slices.Index([]kudu.Status{
		kudu.StatusPending, kudu.StatusBuilding, kudu.StatusDeploying, kudu.StatusFailed, kudu.StatusSuccess,
	}, kudu.Status(strings.ToLower(string(status)))))
}

// orNeverSet returns t as .NET writes it, which has no absent time here.
func orNeverSet(t interface{ Valid() bool }) any {
	if t.Valid() {
		return t
	}
	return dotnet.NeverSet
}

// baseURL returns the URL of the site, with the host by which it is called.
func baseURL(r *http.Request) string {
	scheme := cmp.Or(r.URL.Scheme, "http")
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
