package receive

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	playgrounddocker "github.com/go-playground/webhooks/v6/docker"
	playground "github.com/go-playground/webhooks/v6/github"
	"github.com/google/go-cmp/cmp"
	gogithub "github.com/google/go-github/v84/github"

	"github.com/hookhouse/hookhouse/internal/bench/sender"
	"github.com/hookhouse/hookhouse/webhook"
)

// pushFacts are the fields of a push that the types of all implementations have.
type pushFacts struct {
	Ref, Before, After, Compare         string
	Created, Deleted, Forced            bool
	RepoID, OwnerID, Stars              int64
	RepoName, FullName, Owner, CloneURL string
	DefaultBranch, MasterBranch         string
	Private                             bool
	CreatedAt, PushedAt                 int64
	PusherName, PusherEmail, Sender     string
	Installation                        int64
	Head                                string
	Commits                             []commitFacts
}

type commitFacts struct {
	ID, TreeID, Message, URL string
	Distinct                 bool
	Timestamp                int64
	Author, Committer        [3]string // name, e-mail, account
	Added, Removed, Modified []string
}

// An implementation that decoded less would do less work than the others.
func TestAgree(t *testing.T) {
	for _, r := range races() {
		facts := func(t *testing.T, v any) any { return pushOf(t, v) }
		if r.body == sender.Image {
			facts = func(t *testing.T, v any) any { return imageOf(t, v) }
		}
		want := facts(t, document(t, r.body))
		for _, c := range r.impls {
			if !c.typed() {
				continue
			}
			t.Run(r.body.Name+"/"+c.Name, func(t *testing.T) {
				if diff := cmp.Diff(want, facts(t, handedOver(t, c, r.body))); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestTheRawDeliveryIsRoutableAndWhole(t *testing.T) {
	for _, r := range races() {
		for _, c := range r.impls {
			if c.Name != oursRaw {
				continue
			}
			d := handedOver(t, c, r.body).(*webhook.Delivery)
			want := [...]string{"github", "github.push", sender.FullName + " refs/heads/main", sender.DeliveryID, r.body.Text}
			if c.from == sender.DockerHub {
				want = [...]string{"dockerhub", "dockerhub.push", "lanternworks/lights:1.4.0", "", r.body.Text}
			}
			if got := [...]string{d.Source, d.Type, d.OrderingKey, d.ID, string(d.Body)}; got != want {
				t.Errorf("%s: got %q, want %q", r.body.Name, got, want)
			}
		}
	}
}

// The two floors that decode into Hookhouse's payload give the same values.
func TestEncodingJSONAndV2DecodeAlike(t *testing.T) {
	for _, b := range sender.Pushes {
		std, v2 := decodeStd([]byte(b.Text)), decodeV2([]byte(b.Text))
		if fmt.Sprintf("%#v", canonical(t, std)) != fmt.Sprintf("%#v", canonical(t, v2)) {
			t.Errorf("%s: the payloads differ", b.Name)
		}
	}
}

func canonical(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// handedOver returns what a user of the implementation gets.
func handedOver(t *testing.T, c Impl, b sender.Body) (got any) {
	t.Helper()
	h := c.Open(func(v any) { got = v })
	if status := sender.NewCall(c.from, b.Text).Serve(h); status >= 300 || got == nil {
		t.Fatalf("answered %d and handed over %T", status, got)
	}
	return got
}

// A doc is a document decoded without any of the types under test.
type doc map[string]any

func document(t *testing.T, b sender.Body) doc {
	t.Helper()
	var d doc
	if err := json.Unmarshal([]byte(b.Text), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d doc) in(name string) doc {
	child, _ := d[name].(map[string]any)
	return child
}
func (d doc) text(name string) string { s, _ := d[name].(string); return s }
func (d doc) flag(name string) bool   { b, _ := d[name].(bool); return b }
func (d doc) num(name string) int64   { f, _ := d[name].(float64); return int64(f) }
func (d doc) list(name string) []string {
	var texts []string
	for _, v := range d[name].([]any) {
		texts = append(texts, v.(string))
	}
	return texts
}
func (d doc) person(name string) [3]string {
	p := d.in(name)
	return [3]string{p.text("name"), p.text("email"), p.text("username")}
}

func pushOf(t *testing.T, v any) pushFacts {
	t.Helper()
	switch p := v.(type) {
	case doc:
		repo := p.in("repository")
		f := pushFacts{
			p.text("ref"), p.text("before"), p.text("after"), p.text("compare"),
			p.flag("created"), p.flag("deleted"), p.flag("forced"),
			repo.num("id"), repo.in("owner").num("id"), repo.num("stargazers_count"),
			repo.text("name"), repo.text("full_name"), repo.in("owner").text("login"), repo.text("clone_url"),
			repo.text("default_branch"), repo.text("master_branch"), repo.flag("private"),
			repo.num("created_at"), repo.num("pushed_at"),
			p.in("pusher").text("name"), p.in("pusher").text("email"), p.in("sender").text("login"),
			p.in("installation").num("id"), p.in("head_commit").text("id"), nil,
		}
		for _, c := range p["commits"].([]any) {
			c := doc(c.(map[string]any))
			f.Commits = append(f.Commits, commitFacts{c.text("id"), c.text("tree_id"), c.text("message"), c.text("url"), c.flag("distinct"),
				moment(t, c.text("timestamp")), c.person("author"), c.person("committer"), c.list("added"), c.list("removed"), c.list("modified")})
		}
		return f
	case *pushPayload:
		f := pushFacts{
			p.Ref, p.Before, p.After, p.Compare, p.Created, p.Deleted, p.Forced,
			p.Repository.ID, p.Repository.Owner.ID, p.Repository.StargazersCount,
			p.Repository.Name, p.Repository.FullName, p.Repository.Owner.Login, p.Repository.CloneURL,
			p.Repository.DefaultBranch, p.Repository.MasterBranch, p.Repository.Private,
			p.Repository.CreatedAt.Unix(), p.Repository.PushedAt.Unix(),
			p.Pusher.Name, p.Pusher.Email.Or(""), "", 0, "", nil,
		}
		if p.Sender != nil {
			f.Sender = p.Sender.Login
		}
		if p.Installation != nil {
			f.Installation = p.Installation.ID
		}
		if p.HeadCommit != nil {
			f.Head = p.HeadCommit.ID
		}
		for _, c := range p.Commits {
			f.Commits = append(f.Commits, commitFacts{c.ID, c.TreeID, c.Message, c.URL, c.Distinct, c.Timestamp.Unix(),
				[3]string{c.Author.Name, *c.Author.Email, c.Author.Username}, [3]string{c.Committer.Name, *c.Committer.Email, c.Committer.Username},
				some(c.Added), some(c.Removed), some(c.Modified)})
		}
		return f
	case playground.PushPayload:
		f := pushFacts{
			p.Ref, p.Before, p.After, p.Compare, p.Created, p.Deleted, p.Forced,
			p.Repository.ID, p.Repository.Owner.ID, p.Repository.StargazersCount,
			p.Repository.Name, p.Repository.FullName, p.Repository.Owner.Login, p.Repository.CloneURL,
			p.Repository.DefaultBranch, p.Repository.MasterBranch, p.Repository.Private,
			p.Repository.CreatedAt, p.Repository.PushedAt,
			p.Pusher.Name, p.Pusher.Email, p.Sender.Login, int64(p.Installation.ID), p.HeadCommit.ID, nil,
		}
		for _, c := range p.Commits {
			f.Commits = append(f.Commits, commitFacts{c.ID, c.TreeID, c.Message, c.URL, c.Distinct, moment(t, c.Timestamp),
				[3]string{c.Author.Name, c.Author.Email, c.Author.Username}, [3]string{c.Committer.Name, c.Committer.Email, c.Committer.Username},
				some(c.Added), some(c.Removed), some(c.Modified)})
		}
		return f
	case *gogithub.PushEvent:
		repo := p.GetRepo()
		f := pushFacts{
			p.GetRef(), p.GetBefore(), p.GetAfter(), p.GetCompare(), p.GetCreated(), p.GetDeleted(), p.GetForced(),
			repo.GetID(), repo.GetOwner().GetID(), int64(repo.GetStargazersCount()),
			repo.GetName(), repo.GetFullName(), repo.GetOwner().GetLogin(), repo.GetCloneURL(),
			repo.GetDefaultBranch(), repo.GetMasterBranch(), repo.GetPrivate(),
			repo.GetCreatedAt().Unix(), repo.GetPushedAt().Unix(),
			p.GetPusher().GetName(), p.GetPusher().GetEmail(), p.GetSender().GetLogin(), p.GetInstallation().GetID(), p.GetHeadCommit().GetID(), nil,
		}
		for _, c := range p.Commits {
			f.Commits = append(f.Commits, commitFacts{c.GetID(), c.GetTreeID(), c.GetMessage(), c.GetURL(), c.GetDistinct(), c.GetTimestamp().Unix(),
				[3]string{c.GetAuthor().GetName(), c.GetAuthor().GetEmail(), c.GetAuthor().GetLogin()},
				[3]string{c.GetCommitter().GetName(), c.GetCommitter().GetEmail(), c.GetCommitter().GetLogin()},
				some(c.Added), some(c.Removed), some(c.Modified)})
		}
		return f
	default:
		t.Fatalf("no facts in a %T", v)
		return pushFacts{}
	}
}

// some makes no difference between an empty list and none.
func some(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

func moment(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.Unix()
}

// imageFacts are the fields of Docker Hub's notice that both types have. The
// peer keeps seconds in a float32, which holds these to 128 seconds, so that
// the times can be compared no closer.
type imageFacts struct {
	RepoName, Tag, Pusher, CallbackURL, Description, Readme, Owner, RepoURL, Status string
	Private                                                                         bool
	Stars, Comments                                                                 int64
	PushedAt, Created                                                               float32
}

func imageOf(t *testing.T, v any) imageFacts {
	t.Helper()
	switch p := v.(type) {
	case doc:
		push, repo := p.in("push_data"), p.in("repository")
		return imageFacts{repo.text("repo_name"), push.text("tag"), push.text("pusher"), p.text("callback_url"), repo.text("description"), repo.text("full_description"),
			repo.text("owner"), repo.text("repo_url"), repo.text("status"), repo.flag("is_private"), repo.num("star_count"), repo.num("comment_count"),
			float32(push.num("pushed_at")), float32(repo.num("date_created"))}
	case *imagePayload:
		repo := p.Repository
		return imageFacts{repo.RepoName, string(p.Tag()), p.PushData.Pusher, p.CallbackURL.Or(""), repo.Description.Or(""), repo.FullDescription.Or(""),
			repo.Owner, repo.RepoURL, repo.Status, repo.IsPrivate, int64(repo.StarCount), repo.CommentCount.Int64(),
			float32(p.PushData.PushedAt.Unix()), float32(repo.DateCreated.Unix())}
	case playgrounddocker.BuildPayload:
		repo := p.Repository
		return imageFacts{repo.RepoName, p.PushData.Tag, p.PushData.Pusher, p.CallbackURL, repo.Description, repo.FullDescription,
			repo.Owner, repo.RepoURL, repo.Status, repo.IsPrivate, int64(repo.StarCount), int64(repo.CommentCount),
			p.PushData.PushedAt, repo.DateCreated}
	default:
		t.Fatalf("no facts in a %T", v)
		return imageFacts{}
	}
}
