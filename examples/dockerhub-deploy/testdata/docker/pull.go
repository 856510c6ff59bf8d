package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// pull gets the manifest and the configuration, but not the layers, from the
// registry in the name.
func (d *fakeDocker) pull(ref string) (string, error) {
	name, digest, pinned := strings.Cut(ref, "@")
	host, path, _ := strings.Cut(name, "/")
	repository, tag := path, "latest"
	if colon := strings.LastIndexByte(path, ':'); colon > 0 {
		repository, tag = path[:colon], path[colon+1:]
	}
	wanted := tag
	if pinned {
		wanted = digest
	}
	base := "http://" + host + "/v2/" + repository
	text, err := get(base + "/manifests/" + wanted)
	if err != nil {
		return "", err
	}
	sum := fmt.Sprintf("sha256:%x", sha256.Sum256(text))
	if pinned && sum != digest {
		return "", fmt.Errorf("manifest verification failed for digest %s", digest)
	}
	var manifest struct {
		Config    struct{ Digest string }
		Manifests []struct{ Digest string } // set for an index
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return "", err
	}
	if len(manifest.Manifests) > 0 {
		if text, err = get(base + "/manifests/" + manifest.Manifests[0].Digest); err != nil {
			return "", err
		}
		if err := json.Unmarshal(text, &manifest); err != nil {
			return "", err
		}
	}
	id := manifest.Config.Digest
	if text, err = get(base + "/blobs/" + id); err != nil {
		return "", err
	}
	var file struct{ Config config }
	if err := json.Unmarshal(text, &file); err != nil {
		return "", err
	}
	img := d.state.image(id)
	if img == nil {
		img = &image{ID: id, Config: file.Config}
		d.state.Images = append(d.state.Images, img)
	}
	if by := host + "/" + repository + "@" + sum; !slices.Contains(img.RepoDigests, by) {
		img.RepoDigests = append(img.RepoDigests, by)
	}
	return ref + "\n", nil
}

func get(url string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header["Accept"] = []string{"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.index.v1+json",
		"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.manifest.v1+json"}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, errors.New("registry is not reachable")
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("manifest unknown: %s", res.Status)
	}
	return io.ReadAll(res.Body)
}
