package github_test

import "github.com/hookhouse/hookhouse/github"

// Values in the bodies below.
const (
	alice  = `{"login":"alice","id":7}`
	org    = `{"login":"tidewater","id":9}`
	repo   = `{"id":1,"full_name":"tidewater/harbour","pushed_at":"2024-02-29T12:00:00Z"}`
	issue  = `{"id":77,"number":3,"updated_at":"2024-02-29T12:00:00Z"}`
	pull   = `{"id":78,"number":4,"updated_at":"2024-02-29T12:00:00Z"}`
	commit = `0123456789012345678901234567890123456789`
)

// repeating has, by event, bodies that GitHub can send again with the same
// bytes, because an action can be undone and repeated and times are in whole
// seconds.
var repeating = map[string][]string{
	"membership": {
		`{"action":"added","scope":"team","member":` + alice + `,"sender":` + alice + `,"team":{"id":5,"name":"crew"},"organization":` + org + `}`,
		`{"action":"removed","scope":"team","member":` + alice + `,"sender":` + alice + `,"team":{"id":5,"name":"crew"},"organization":` + org + `}`,
	},
	"organization": {
		`{"action":"member_added","membership":{"state":"active","role":"member","user":` + alice + `},"organization":` + org + `,"sender":` + alice + `}`,
		`{"action":"member_removed","membership":{"state":"active","role":"member","user":` + alice + `},"organization":` + org + `,"sender":` + alice + `}`,
		`{"action":"member_invited","invitation":{"id":4,"login":"alice"},"organization":` + org + `,"sender":` + alice + `}`,
	},
	"org_block": {
		`{"action":"blocked","blocked_user":` + alice + `,"organization":` + org + `}`,
		`{"action":"unblocked","blocked_user":` + alice + `,"organization":` + org + `}`,
	},
	"github_app_authorization": {`{"action":"revoked","sender":` + alice + `}`},
	"member": {
		`{"action":"added","member":` + alice + `,"repository":` + repo + `}`,
		`{"action":"removed","member":` + alice + `,"repository":` + repo + `}`,
	},
	"team": {
		`{"action":"edited","team":{"id":5,"name":"crew"},"changes":{"name":{"from":"hands"}}}`,
		`{"action":"edited","team":{"id":5,"name":"hands"},"changes":{"name":{"from":"crew"}}}`,
		`{"action":"added_to_repository","team":{"id":5},"repository":` + repo + `}`,
		`{"action":"removed_from_repository","team":{"id":5},"repository":` + repo + `}`,
	},
	"team_add": {`{"team":{"id":5},"repository":` + repo + `}`},
	"label": {
		`{"action":"edited","label":{"id":6,"name":"tide"},"changes":{"name":{"from":"ebb"}}}`,
		`{"action":"edited","label":{"id":6,"name":"ebb"},"changes":{"name":{"from":"tide"}}}`,
	},
	"star": {
		`{"action":"created","starred_at":"2024-02-29T12:00:00Z","repository":` + repo + `}`,
		`{"action":"deleted","starred_at":null,"repository":` + repo + `}`,
	},
	"watch": {`{"action":"started","repository":` + repo + `}`},
	"issues": {
		`{"action":"labeled","issue":` + issue + `,"label":{"id":6},"repository":` + repo + `}`,
		`{"action":"unlabeled","issue":` + issue + `,"label":{"id":6},"repository":` + repo + `}`,
		`{"action":"closed","issue":` + issue + `,"repository":` + repo + `}`,
		`{"action":"reopened","issue":` + issue + `,"repository":` + repo + `}`,
		`{"action":"opened","issue":` + issue + `,"changes":{"old_issue":` + issue + `},"repository":` + repo + `}`,
	},
	"issue_comment": {
		`{"action":"edited","comment":{"id":8,"body":"a"},"changes":{"body":{"from":"b"}},"repository":` + repo + `}`,
		`{"action":"edited","comment":{"id":8,"body":"b"},"changes":{"body":{"from":"a"}},"repository":` + repo + `}`,
	},
	"pull_request": {
		`{"action":"labeled","number":4,"pull_request":` + pull + `,"label":{"id":6},"repository":` + repo + `}`,
		`{"action":"unlabeled","number":4,"pull_request":` + pull + `,"label":{"id":6},"repository":` + repo + `}`,
		`{"action":"synchronize","number":4,"before":"` + commit + `","after":"` + github.ZeroSHA + `","pull_request":` + pull + `,"repository":` + repo + `}`,
		`{"action":"synchronize","number":4,"before":"` + github.ZeroSHA + `","after":"` + commit + `","pull_request":` + pull + `,"repository":` + repo + `}`,
	},
	"pull_request_review": {`{"action":"dismissed","review":{"id":8},"pull_request":` + pull + `,"repository":` + repo + `}`},
	"create":              {`{"ref":"v1","ref_type":"tag","master_branch":"main","repository":` + repo + `}`},
	"delete":              {`{"ref":"v1","ref_type":"tag","repository":` + repo + `}`},
	"release": {
		`{"action":"published","release":{"id":3,"tag_name":"v1"},"repository":` + repo + `}`,
		`{"action":"unpublished","release":{"id":3,"tag_name":"v1"},"repository":` + repo + `}`,
	},
	"repository": {
		`{"action":"archived","repository":` + repo + `}`,
		`{"action":"unarchived","repository":` + repo + `}`,
	},
	"check_run": {
		`{"action":"created","check_run":{"id":2,"status":"queued"},"repository":` + repo + `}`,
		`{"action":"rerequested","check_run":{"id":2},"repository":` + repo + `}`,
		`{"action":"completed","check_run":{"id":2,"completed_at":"2024-02-29T12:00:00Z"},"repository":` + repo + `}`,
		`{"action":"requested_action","requested_action":{"identifier":"fix"},"check_run":{"id":2},"repository":` + repo + `}`,
	},
	"check_suite":  {`{"action":"rerequested","check_suite":{"id":2},"repository":` + repo + `}`},
	"workflow_run": {`{"action":"requested","workflow_run":{"id":2,"run_attempt":1},"repository":` + repo + `}`},
	"workflow_job": {`{"action":"queued","workflow_job":{"id":2,"run_attempt":1},"repository":` + repo + `}`},
	"ping":         {`{"zen":"Keep it logically awesome.","hook_id":2,"hook":{"id":2}}`},
	"meta":         {`{"action":"deleted","hook_id":2}`},
	"workflow_dispatch": {
		`{"workflow":"a.yml","inputs":null,"ref":"refs/heads/main","repository":` + repo + `}`,
	},
	"repository_dispatch": {
		`{"action":"deploy","branch":"main","client_payload":{},"repository":` + repo + `}`,
	},
	"deployment_protection_rule": {`{"action":"requested","environment":"prod","deployment":{"id":2}}`},
	"installation": {
		`{"action":"suspend","installation":{"id":2}}`,
		`{"action":"unsuspend","installation":{"id":2}}`,
	},
}
