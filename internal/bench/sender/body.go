// Package sender makes the calls that implementations are measured with, and sends
// them.
package sender

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// A Sender determines how a call is signed.
type Sender int

const (
	GitHub          Sender = iota // eleven headers, two signatures
	StandardWebhook               // three headers, one signature, fresh for 5 minutes
	DockerHub                     // nothing signed: a token in the path
)

// A Body is a document as its sender writes it: compact, with invented values.
type Body struct {
	Name string
	Text string
}

// The bodies, from small to large. All are deterministic.
var (
	TinyPush  = Body{"push, 0.5 KB", tiny()}
	RealPush  = Body{"push, 8 KB", push(1)}
	LargePush = Body{"push, 145 KB", push(200)}
	Image     = Body{"image, 1 KB", image()}
	Pushes    = []Body{TinyPush, RealPush, LargePush}
)

const (
	ownerName = "lantern-works"
	repoName  = "harbour-lights"
	FullName  = ownerName + "/" + repoName
	api       = "https://api.github.com/repos/" + FullName
	page      = "https://github.com/" + FullName
)

// tiny is a push as relays and old servers send it: the members that a CI job
// reads.
func tiny() string {
	return fmt.Sprintf(`{"ref":"refs/heads/main","before":"%s","after":"%s","created":false,"deleted":false,"forced":false,"base_ref":null,"compare":"%s/compare/a...b",`+
		`"commits":[],"head_commit":null,"repository":{"id":731902846,"name":"%s","full_name":"%s","owner":{"login":"%s","id":90412277},"private":true,"created_at":1741082400,"pushed_at":1795314182},`+
		`"pusher":{"name":"mira-holt","email":"mira@lantern.example"}}`,
		sha(1), sha(2), page, repoName, FullName, ownerName)
}

// push is a push of n commits with every member that GitHub sends today.
func push(n int) string {
	commits := make([]string, n)
	for i := range commits {
		commits[i] = commit(i, n)
	}
	return fmt.Sprintf(`{"ref":"refs/heads/main","before":"%s","after":"%s","repository":%s,"pusher":{"name":"mira-holt","email":"mira@lantern.example"},`+
		`"sender":%s,"installation":{"id":58120934,"node_id":"MDIzOkludGVncmF0aW9uNTgxMjA5MzQ="},`+
		`"created":false,"deleted":false,"forced":false,"base_ref":null,"compare":"%s/compare/%.12s...%.12s","commits":[%s],"head_commit":%s}`,
		sha(1), sha(1000+n-1), repository(), user("mira-holt", 5512038, "User", ""), page, sha(1), sha(1000+n-1), strings.Join(commits, ","), commits[n-1])
}

// sha is the name of the nth commit or tree.
func sha(n int) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(n)))
	return hex.EncodeToString(sum[:20])
}

func commit(i, n int) string {
	person := `{"name":"Mira Holt","email":"mira@lantern.example","username":"mira-holt"}`
	more := ""
	if n > 1 {
		more = `,"timer/testdata/almanac/2026/dusk_and_dawn_at_the_northern_mole.csv"`
	}
	message := fmt.Sprintf(`Dim lamp %d at dawn\n\nThe timer took \"local\" for UTC \u2013 see the log.`, i)
	return fmt.Sprintf(`{"id":"%s","tree_id":"%s","distinct":true,"message":"%s","timestamp":"2026-11-%02dT%02d:%02d:05+01:00","url":"%s/commit/%s","author":%s,"committer":%s,`+
		`"added":["lamps/%04d.toml"],"removed":[],"modified":["README.md","timer/dawn_%d.go"%s]}`,
		sha(1000+i), sha(5000+i), message, 1+i/60%28, i/60%24, i%60, page, sha(1000+i), person, person, i, i, more)
}

// user is an account. For a repository's owner, extra comes before the login.
func user(login string, id int, kind, extra string) string {
	u := "https://api.github.com/users/" + login
	text := fmt.Sprintf(`{%s"login":"%s","id":%d,"node_id":"MDQ6VXNlcjU1MTIwMzg=","avatar_url":"https://avatars.githubusercontent.com/u/%d?v=4","gravatar_id":"","url":"%s","html_url":"https://github.com/%s"`,
		extra, login, id, id, u, login)
	for _, end := range []string{"followers", "following{/other_user}", "gists{/gist_id}", "starred{/owner}{/repo}", "subscriptions", "organizations:orgs", "repos", "events{/privacy}", "received_events"} {
		text += address(u, end)
	}
	return text + fmt.Sprintf(`,"type":"%s","user_view_type":"public","site_admin":false}`, kind)
}

// address is a member that holds an address below base. The last part of the
// address is end, which begins with the member's name and a colon if they differ.
func address(base, end string) string {
	name, path, ok := strings.Cut(end, ":")
	if !ok {
		name, _, _ = strings.Cut(end, "{")
		path = end
	}
	return fmt.Sprintf(`,"%s_url":"%s/%s"`, name, base, path)
}

func repository() string {
	text := fmt.Sprintf(`{"id":731902846,"node_id":"R_kgDOK6Aifg","name":"%s","full_name":"%s","private":false,"owner":%s,"html_url":"%s","description":"Harbour lights, timed by the tide","fork":false,"url":"%s"`,
		repoName, FullName, user(ownerName, 90412277, "User", `"name":"`+ownerName+`","email":null,`), page, page)
	for _, end := range []string{
		"forks", "keys{/key_id}", "collaborators{/collaborator}", "teams", "hooks", "issue_events:issues/events{/number}", "events", "assignees{/user}",
		"branches{/branch}", "tags", "blobs:git/blobs{/sha}", "git_tags:git/tags{/sha}", "git_refs:git/refs{/sha}", "trees:git/trees{/sha}", "statuses:statuses/{sha}",
		"languages", "stargazers", "contributors", "subscribers", "subscription", "commits{/sha}", "git_commits:git/commits{/sha}", "comments{/number}",
		"issue_comment:issues/comments{/number}", "contents:contents/{+path}", "compare:compare/{base}...{head}", "merges", "archive:{archive_format}{/ref}", "downloads",
		"issues{/number}", "pulls{/number}", "milestones{/number}", "notifications{?since,all,participating}", "labels{/name}", "releases{/id}", "deployments",
	} {
		text += address(api, end)
	}
	return text + fmt.Sprintf(`,"created_at":1741082400,"updated_at":"2026-11-20T06:41:07Z","pushed_at":1795314182,`+
		`"git_url":"git://github.com/%[1]s.git","ssh_url":"git@github.com:%[1]s.git","clone_url":"%[2]s.git","svn_url":"%[2]s","homepage":null,`+
		`"size":1841,"stargazers_count":73,"watchers_count":73,"language":"Go","has_issues":true,"has_projects":true,"has_downloads":true,"has_wiki":false,"has_pages":false,"has_discussions":false,`+
		`"forks_count":9,"mirror_url":null,"archived":false,"disabled":false,"open_issues_count":4,`+
		`"license":{"key":"apache-2.0","name":"Apache License 2.0","spdx_id":"Apache-2.0","url":"https://api.github.com/licenses/apache-2.0","node_id":"MDc6TGljZW5zZTI="},`+
		`"allow_forking":true,"is_template":false,"web_commit_signoff_required":false,"topics":["lighthouse","tide"],"visibility":"public",`+
		`"forks":9,"open_issues":4,"watchers":73,"default_branch":"main","stargazers":73,"master_branch":"main","custom_properties":{"tier":"gold"}}`,
		FullName, page)
}

// image is Docker Hub's notice of a pushed tag.
func image() string {
	readme := strings.Repeat(`Turns the lamps on at dusk.\n`, 14)
	return fmt.Sprintf(`{"push_data":{"pushed_at":1795314182,"images":[],"tag":"1.4.0","pusher":"miraholt","media_type":"application/vnd.docker.distribution.manifest.v2+json"},`+
		`"callback_url":"https://registry.hub.docker.com/u/lanternworks/lights/hook/2b1ei4h0ff/",`+
		`"repository":{"status":"Active","description":"Harbour lights","is_trusted":false,"full_description":"# Lights\n\n%s","repo_url":"https://hub.docker.com/r/lanternworks/lights",`+
		`"owner":"lanternworks","is_official":false,"is_private":false,"name":"lights","namespace":"lanternworks","star_count":3,"comment_count":0,"date_created":1741082400,"repo_name":"lanternworks/lights"}}`, readme)
}
