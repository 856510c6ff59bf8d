package scan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// routing has the paths that a provider watches in a push.
var routing = scan.New("ref", "repository.full_name", "after", "deleted")

// repositoryURLs are most of the members of a GitHub repository.
var repositoryURLs = strings.Fields(`archive assignees blobs branches collaborators
	comments commits compare contents contributors deployments downloads events
	forks git_commits git_refs git_tags hooks issue_comment issue_events issues
	keys labels languages merges milestones notifications pulls releases
	stargazers statuses subscribers subscription tags teams trees`)

// pushBody returns a body of about 8 KB with the members, nesting and token lengths of
// a GitHub push, compact as GitHub sends it.
func pushBody() []byte {
	var b strings.Builder
	const user = `{"login":"Codertocat","id":21031067,"node_id":"MDQ6VXNlcjIxMDMxMDY3",` +
		`"avatar_url":"https://avatars1.githubusercontent.com/u/21031067?v=4","gravatar_id":"",` +
		`"url":"https://api.github.com/users/Codertocat","html_url":"https://github.com/Codertocat",` +
		`"followers_url":"https://api.github.com/users/Codertocat/followers",` +
		`"gists_url":"https://api.github.com/users/Codertocat/gists{/gist_id}",` +
		`"repos_url":"https://api.github.com/users/Codertocat/repos","type":"User","site_admin":false}`
	b.WriteString(`{"ref":"refs/heads/main","before":"0000000000000000000000000000000000000000",` +
		`"after":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","repository":{"id":186853002,` +
		`"node_id":"MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=","name":"Hello-World",` +
		`"full_name":"Codertocat/Hello-World","private":false,"owner":` + user +
		`,"html_url":"https://github.com/Codertocat/Hello-World","description":null,"fork":false`)
	for _, name := range repositoryURLs {
		fmt.Fprintf(&b, `,"%s_url":"https://api.github.com/repos/Codertocat/Hello-World/%[1]s{/sha}"`, name)
	}
	b.WriteString(`,"created_at":1557933565,"updated_at":"2019-05-15T15:20:41Z","size":0,` +
		`"language":"Ruby","has_issues":true,"archived":false,"license":null,"default_branch":"main"},` +
		`"pusher":{"name":"Codertocat","email":"21031067+Codertocat@users.noreply.github.com"},` +
		`"sender":` + user + `,"created":false,"deleted":false,"forced":false,"base_ref":null,"commits":[`)
	for i := range 10 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%040x","distinct":true,"message":"Merge branch \"topic\"\n\nof Zo\u00eb",`+
			`"timestamp":"2019-05-15T15:20:33Z","author":{"name":"Zoë","email":"zoe@example.com",`+
			`"username":"zoe"},"added":[],"removed":["docs/old.md"],"modified":["README.md","go.mod"]}`, i)
	}
	b.WriteString(`],"head_commit":null}`)
	return []byte(b.String())
}

// indented returns doc with indentation.
func indented(tb testing.TB, doc []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, doc, "", "  "); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestScanDoesNotAllocate(t *testing.T) {
	deep := bytes.Repeat([]byte{'['}, 10000)
	deep = append(deep, bytes.Repeat([]byte{']'}, 10000)...)
	for name, doc := range map[string][]byte{
		"compact":         pushBody(),
		"indented":        indented(t, pushBody()),
		"deep":            deep,
		"an escaped name": []byte(`{"r\u0065f":1}`),
	} {
		got := testing.AllocsPerRun(10, func() {
			var out [4]scan.Value
			if err := routing.Scan(doc, out[:]); err != nil {
				t.Fatal(err)
			}
		})
		if got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func BenchmarkPush(b *testing.B) {
	compact := pushBody()
	for _, body := range []struct {
		name string
		doc  []byte
	}{{"compact", compact}, {"indented", indented(b, compact)}} {
		b.Run(body.name+"/scan", func(b *testing.B) {
			out := make([]scan.Value, routing.Len())
			b.SetBytes(int64(len(body.doc)))
			b.ReportAllocs()
			for b.Loop() {
				if err := routing.Scan(body.doc, out); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(body.name+"/json.Valid", func(b *testing.B) {
			b.SetBytes(int64(len(body.doc)))
			b.ReportAllocs()
			for b.Loop() {
				if !json.Valid(body.doc) {
					b.Fatal("not JSON")
				}
			}
		})
	}
}
