package jobserv

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

// pageSize is how many builds a page has. JobServ's default is 25, and it knows no limit
// (JobServ: jsend.py, paginate_custom).
const pageSize = 50

// A buildPage is an answer with builds, newest first (JobServ: api/build.py, build_list).
// They have the shape of the list: without StatusEvents, RunsURL, Reason and Annotation.
type buildPage struct {
	builds []Build
	total  int       // builds of the project
	last   bool      // there is no page with older ones
	at     time.Time // the server's time
}

// builds returns a page of the builds of a project. Page 0 has the newest. JobServ counts
// pages in builds, so while builds are added, those of a page come again on the next one, and
// none is skipped. Its link to the next page is not used: the host may be internal.
func (c *Client) builds(ctx context.Context, project string, page int) (buildPage, error) {
	query := url.Values{"limit": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(page)}}
	var data struct {
		Builds []Build `json:"builds"`
		Total  *int    `json:"total"`
		Limit  int     `json:"limit"` // absent in older versions; a proxy may have lowered it
	}
	at, err := c.paced(ctx, c.buildsURL(project)+"?"+query.Encode(), api.OrDefault(c.MaxAnswer, defaultMaxAnswer), &data)
	if err != nil {
		return buildPage{}, fmt.Errorf("list builds: %w", err)
	}
	size := data.Limit
	if size <= 0 {
		size = pageSize
	}
	switch {
	case data.Builds == nil || data.Total == nil:
		return buildPage{}, fmt.Errorf("list builds: %w: no builds or no total", ErrAnswer)
	case len(data.Builds) < min(size, *data.Total-page*size):
		return buildPage{}, fmt.Errorf("list builds: %w: page %d of %d builds has only %d", ErrAnswer, page, *data.Total, len(data.Builds))
	}
	for _, b := range data.Builds {
		if b.BuildID <= 0 || b.Project() != project {
			return buildPage{}, fmt.Errorf("list builds: %w: build %d is of the project %q", ErrAnswer, b.BuildID, b.Project())
		}
	}
	return buildPage{builds: data.Builds, total: *data.Total, last: (page+1)*size >= *data.Total, at: at}, nil
}

// build returns a build as the API has it, and the members of its JSON. Its answer may be as
// large as a call.
func (c *Client) build(ctx context.Context, project string, id int64) (Build, map[string]any, error) {
	var data struct {
		Build json.RawMessage `json:"build"`
	}
	from := c.buildsURL(project) + strconv.FormatInt(id, 10) + "/"
	if _, err := c.paced(ctx, from, api.OrDefault(c.MaxAnswer, maxBody), &data); err != nil {
		return Build{}, nil, fmt.Errorf("build %d: %w", id, err)
	}
	var b Build
	members, err := decodeMembers(data.Build)
	if err == nil {
		err = json.Unmarshal(data.Build, &b)
	}
	if err != nil {
		return Build{}, nil, fmt.Errorf("build %d: %w: not a build", id, ErrAnswer)
	}
	if b.BuildID != id || b.Project() != project {
		return Build{}, nil, fmt.Errorf("build %d: %w: it is build %d of the project %q", id, ErrAnswer, b.BuildID, b.Project())
	}
	return b, members, nil
}

// paced fetches a URL when it is its turn, and decodes the data of the answer. It returns
// the server's time.
func (c *Client) paced(ctx context.Context, from string, limit int64, data any) (time.Time, error) {
	end, err := c.pace.begin(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer end()
	resp, text, err := c.read(ctx, from, limit)
	if err != nil {
		return time.Time{}, err
	}
	now := time.Now()
	return api.ServerTime(resp.Header, now), c.pace.check(resp.StatusCode, resp.Header, readEnvelope(resp.StatusCode, text, data), now)
}

// buildsURL returns the URL of the builds of a project on the first server.
func (c *Client) buildsURL(project string) string {
	return c.servers[0].base("/projects/" + project + "/builds/")
}
