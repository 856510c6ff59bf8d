package kudu

import (
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// Indexes of the members that this package reads: those of a Deployment in the
// order in which Kudu writes them, then those that only /api/deployments has
// (Kudu: DeployResult.cs), then those that only a run has (Kudu:
// TriggeredJobRun.cs).
const (
	atID = iota
	atStatus
	atStatusText
	atAuthorEmail
	atAuthor
	atMessage
	atProgress
	atDeployer
	atReceivedTime
	atStartTime
	atEndTime
	atLastSuccessEndTime
	atComplete
	atIsTemporary
	atIsReadOnly
	atSiteName
	atHostName
	atProjectType
	atVSProjectID
	atActive
	atURL
	atLogURL
	atProvisioningState
	fieldCount // number of the members of a Deployment

	atJobName = iota - 1 // the first member of a run
	atName
	atDuration
	atTrigger
	atOutputURL
	atErrorURL
	memberCount
)

// spellings lists the names of each member, beginning with the one that Kudu
// sends. The short names are those of DeployResult and of status.xml.
var spellings = [memberCount][]string{
	atID:                 {"id"},
	atStatus:             {"status"},
	atStatusText:         {"statusText", "status_text"},
	atAuthorEmail:        {"authorEmail", "author_email"},
	atAuthor:             {"author"},
	atMessage:            {"message"},
	atProgress:           {"progress"},
	atDeployer:           {"deployer"},
	atReceivedTime:       {"receivedTime", "received_time"},
	atStartTime:          {"startTime", "start_time"},
	atEndTime:            {"endTime", "end_time"},
	atLastSuccessEndTime: {"lastSuccessEndTime", "last_success_end_time"},
	atComplete:           {"complete"},
	atIsTemporary:        {"isTemporary", "is_temporary", "is_temp"},
	atIsReadOnly:         {"isReadOnly", "is_read_only", "is_readonly"},
	atSiteName:           {"siteName", "site_name"},
	atHostName:           {"hostName", "host_name"},
	atProjectType:        {"projectType", "project_type"},
	atVSProjectID:        {"vsProjectId", "vs_project_id", "vsproject_id"},
	atActive:             {"active"},
	atURL:                {"url"},
	atLogURL:             {"log_url", "logUrl"},
	atProvisioningState:  {"provisioningState", "provisioning_state"},
	atJobName:            {"job_name"},
	atName:               {"name"},
	atDuration:           {"duration"},
	atTrigger:            {"trigger"},
	atOutputURL:          {"output_url"},
	atErrorURL:           {"error_url"},
}

// paths has every spelling of every member, in the order of spellings.
var paths = newPaths()

func newPaths() *scan.Paths {
	var all []string
	for _, names := range spellings {
		all = append(all, names...)
	}
	return scan.New(all...)
}

// A document holds the members of a body.
type document [memberCount]member

type member struct {
	scan.Value
	spelling uint8 // index in spellings; undefined if the member is absent
}

// read returns the members of a body. The result aliases body. A body that is
// not an object has no members. An error wraps scan.ErrSyntax or
// scan.ErrAmbiguous, the latter also if a member appears in two spellings.
func read(body []byte) (*document, error) {
	found := make([]scan.Value, paths.Len())
	if err := paths.Scan(body, found); err != nil {
		return nil, err
	}
	doc := new(document)
	for i, names := range spellings {
		for k, name := range names {
			v := found[k]
			if v.Kind == scan.Absent {
				continue
			}
			if old := doc[i]; old.Kind != scan.Absent {
				return nil, fmt.Errorf("%w: %q and %q are the same field", scan.ErrAmbiguous, names[old.spelling], name)
			}
			doc[i] = member{v, uint8(k)}
		}
		found = found[len(names):]
	}
	return doc, nil
}

// has reports whether a member is present and not null.
func (d *document) has(at int) bool {
	return d[at].Kind != scan.Absent && d[at].Kind != scan.Null
}

// text returns the decoded value of a member that is a string, and ""
// otherwise.
func (d *document) text(at int) string {
	if d[at].Kind != scan.String {
		return ""
	}
	return d[at].String()
}

// textNamed is like text, but returns "" if the member has another spelling.
func (d *document) textNamed(at int, name string) string {
	if spellings[at][d[at].spelling] != name {
		return ""
	}
	return d.text(at)
}

// status returns the status that a Deployment decodes, in lower case.
func (d *document) status() Status {
	if !d.has(atStatus) {
		return StatusPending
	}
	return Status(strings.ToLower(string(statusOf(string(d[atStatus].Raw)))))
}
