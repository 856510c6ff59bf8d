// Package target makes what runs on this host run an image: a container that a file of
// options declares, a service of Compose files, or whatever a program deploys.
//
// What it promises, for a Container and a Service:
//
//   - Declared, not copied. No setting of a running container is read back. The first
//     deployment works from nothing, and the next one is the same.
//   - Looked at before. What refers to the old container by its network, its namespaces,
//     its volumes or a link is found before anything is touched. It is made anew if it is
//     declared, too; otherwise the deployment is refused.
//   - Undone. If the new container ends or is not healthy, the old one runs again: the
//     same container, or for a service the same image, by its id.
//   - Completed or undone after an interruption. Each step can be killed and run again,
//     and the engine can be restarted between two steps. The names and labels of the
//     containers say how far a deployment got.
//   - An image is rejected only if it was seen to end or to be unhealthy. All else, such as
//     a failed start or an engine that is away, is an error that says nothing about it.
//
// A Program runs once at a time for its target, even if this process is killed meanwhile.
package target
