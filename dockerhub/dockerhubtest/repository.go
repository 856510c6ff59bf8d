package dockerhubtest

import (
	"strings"
	"time"
)

// A repository has the manifests that were pushed to it.
type repository struct {
	private   bool
	manifests map[string]string // by digest
	tags      map[string]tag
	lastID    int
}

// A tag is the last push to it.
type tag struct {
	id     int
	name   string
	digest string
	pusher string
	at     time.Time
}

// Push sets the manifest of a tag, as docker push does, and returns its digest. An image is a
// repository with its namespace and a tag, such as "acme/app:latest" or "library/nginx:1.27".
// A repository that does not exist is created, public.
func (s *Server) Push(image, pusher, manifest string) (digest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, tagName, _ := strings.Cut(image, ":")
	at := s.repository(name)
	digest = Digest(manifest)
	at.manifests[digest] = manifest
	id := at.tags[tagName].id
	if id == 0 {
		at.lastID++
		id = at.lastID
	}
	at.tags[tagName] = tag{id: id, name: tagName, digest: digest, pusher: pusher, at: s.now()}
	return digest
}

// Delete removes a tag. Its manifest stays, by its digest.
func (s *Server) Delete(image string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, tagName, _ := strings.Cut(image, ":")
	delete(s.repository(name).tags, tagName)
}

// SetPrivate makes a repository private or public. A private one needs the credentials.
func (s *Server) SetPrivate(name string, private bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repository(name).private = private
}

// repository returns the repository of a name, and creates it if there is none.
func (s *Server) repository(name string) *repository {
	if s.repositories == nil {
		s.repositories = make(map[string]*repository)
	}
	if s.repositories[name] == nil {
		s.repositories[name] = &repository{manifests: make(map[string]string), tags: make(map[string]tag)}
	}
	return s.repositories[name]
}
