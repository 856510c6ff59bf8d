package github

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// Summary returns a line for people that says what a delivery of GitHub is about, such as
// "push of 3 commits to acme/app main by jane", from whatever its body has. It returns an
// empty text for a delivery of another sender, and for one whose body cannot be read. The
// sender chooses parts of the text: it may have any characters.
func Summary(d *webhook.Delivery) string {
	event, ok := strings.CutPrefix(d.Type, sourceName+".")
	if !ok {
		return ""
	}
	doc, err := d.Document()
	if err != nil {
		return ""
	}
	var s summarized
	if err := json.Unmarshal(doc, &s); err != nil {
		// In an event that is not known here, a member may be something else.
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok || len(doc) == 0 || doc[0] != '{' {
			return ""
		}
	}
	if event == "push" {
		return s.push()
	}
	return s.other(event)
}

// A summarized has what a summary is made of.
type summarized struct {
	Action     string
	Ref        string
	After      string
	Deleted    bool
	Forced     bool
	Commits    []struct{}
	Repository struct {
		FullName string `json:"full_name"`
	}
	Pusher      struct{ Name string }
	Sender      struct{ Login string }
	PullRequest subject     `json:"pull_request"`
	Issue       subject     `json:"issue"`
	Release     subject     `json:"release"`
	WorkflowRun workflowRun `json:"workflow_run"`
}

// A subject is what an event is about.
type subject struct {
	Number  int64
	Title   string
	TagName string `json:"tag_name"`
}

// A workflowRun is the part of a run that a summary has.
type workflowRun struct {
	Name       string
	RunNumber  int64  `json:"run_number"`
	HeadBranch string `json:"head_branch"`
	Conclusion string
}

func (s *summarized) push() string {
	p := Push{Ref: s.Ref, After: s.After, Deleted: s.Deleted}
	name, isTag := p.Tag()
	if !isTag {
		name, _ = p.Branch()
		name = cmp.Or(name, s.Ref)
	}
	what := fmt.Sprintf("push of %d commits to", len(s.Commits))
	switch {
	case p.IsDeleted():
		what = "deletion of"
	case isTag:
		what = "push of the tag"
	case len(s.Commits) == 1:
		what = "push of 1 commit to"
	}
	if s.Forced {
		what = "forced " + what
	}
	return s.by(strings.Join([]string{what, s.Repository.FullName, name}, " "))
}

func (s *summarized) other(event string) string {
	parts := []string{strings.ReplaceAll(event, "_", " ")}
	title := ""
	for _, about := range []subject{s.PullRequest, s.Issue, s.Release} {
		if about.Number != 0 {
			parts, title = append(parts, fmt.Sprintf("#%d", about.Number)), about.Title
			break
		}
		if about.TagName != "" {
			parts = append(parts, about.TagName)
			break
		}
	}
	if run := s.WorkflowRun; run.RunNumber != 0 {
		parts = append(parts, fmt.Sprintf("%d of %s on %s", run.RunNumber, run.Name, run.HeadBranch))
	}
	for _, part := range []string{s.Action, s.WorkflowRun.Conclusion} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if s.Repository.FullName != "" {
		parts = append(parts, "in", s.Repository.FullName)
	}
	line := s.by(strings.Join(parts, " "))
	if title != "" {
		line += ": " + title
	}
	return line
}

// by adds who caused the event, if it is known.
func (s *summarized) by(line string) string {
	if who := cmp.Or(s.Sender.Login, s.Pusher.Name); who != "" {
		return line + " by " + who
	}
	return line
}
