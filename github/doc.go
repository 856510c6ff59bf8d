// Package github receives the webhooks of GitHub and GitHub Enterprise Server.
//
// [Source] is all that a [webhook.Receiver] needs. It verifies the signature in
// X-Hub-Signature-256 over the exact body, takes JSON and forms, and tells what
// a delivery is about; callbacks get typed payloads:
//
//	mux := webhook.Mux{IgnoreRest: true}
//	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[github.Push]) error {
//		return build(ctx, e.Payload.Repository.CloneURL, e.Payload.After)
//	})
//	http.Handle("/hooks/github", webhook.NewReceiver(github.Source(secret), webhook.Store(inbox)))
//
// [Middleware] does the same for an http.Handler of your own. A ping needs no
// callback: what nothing is registered for is answered 202. Behind an inbox set
// [webhook.Mux.IgnoreRest], or it waits there for a worker that routes it.
//
// # What GitHub does
//
// It waits 10 seconds for an answer (30 on Enterprise Server), counts all but
// 2xx as failed, and never tries again by itself. For three days (seven on
// Enterprise Server) one can ask for a redelivery, which has the same id. It
// promises no order, and sends nothing that is larger than 25 MB. So answer
// first and work later, from an inbox. (github/docs: webhooks.)
//
// # Types, keys and marks
//
// The type is "github." and the event's name, such as "github.push", for every
// event, whether this package has a payload for it or not; "github.unknown"
// where the header is missing or no name.
//
// Deliveries about the same thing have the same key, so that they are worked off
// one after the other: "owner/repo refs/heads/main" for a push, "owner/repo
// pull/12", "owner/repo release/v1.2.0", and likewise create/<ref>,
// delete/<ref>, workflow_run/<id>, check_run/<id>, check_suite/<id>,
// status/<sha> and deployment/<id>, which all statuses of a deployment share.
// Other events have none and run in any order. No two events share a key.
//
// A delivery is a duplicate if its id or its signature is known. A redelivery
// that somebody asked GitHub for is one too, unless the first has ended dead:
// then it is tried again. The headers, and so the id and the event's name, are
// outside the signature: whoever captured a call can send it under other ones,
// and the signature's mark is what stops that. It is not set for
// workflow_dispatch, repository_dispatch, and a check that is requested again or
// whose button is pressed, since two genuine ones may be equal to the byte; for
// them a captured call can be repeated under a new id. Only a body of that shape
// is treated as one.
//
// A body is malformed if what the key is made of stands there twice or in
// another case: it could mean one thing here and another to a decoder. It is
// stored all the same and fails when it is decoded.
//
// # Payloads
//
// [Push] and [Ping] have every field that GitHub documents, and encode to what
// they were decoded from. Where null or absent can be sent there is a pointer,
// or a [wire.Optional] where the two must be told apart. Unknown fields are
// dropped; [webhook.Delivery.Document] has them.
//
// The others have what continuous integration needs, listed here. Each of them
// also has an [Origin]: repository, sender, organization, enterprise and
// installation. For any other event, or more fields, write a type with an
// EventType method.
//
//	check_run          action, check_run{id, node_id, name, head_sha, external_id, status,
//	                   conclusion, output{title, summary, text, annotations_count,
//	                   annotations_url}, check_suite{id, node_id, head_branch, head_sha,
//	                   before, after, status, conclusion, url}, app{id, node_id, slug, name,
//	                   owner}, pull_requests, url, html_url, details_url, started_at,
//	                   completed_at}, requested_action{identifier}
//	create             ref, ref_type, master_branch, description, pusher_type
//	delete             ref, ref_type, pusher_type
//	deployment_status  action, deployment_status{id, node_id, state, description, environment,
//	                   environment_url, target_url, log_url, creator, url, created_at,
//	                   updated_at}, deployment{id, node_id, sha, ref, task, environment,
//	                   original_environment, payload, description, creator, url, statuses_url,
//	                   created_at, updated_at}, check_run, workflow, workflow_run
//	pull_request       action, number, before, after, pull_request{id, node_id, number, state,
//	                   title, body, user, draft, locked, head{label, ref, sha, user, repo},
//	                   base{label, ref, sha, user, repo}, labels, html_url, url, diff_url,
//	                   merged, merge_commit_sha, mergeable, mergeable_state, merged_by,
//	                   assignees, requested_reviewers, author_association, commits, additions,
//	                   deletions, changed_files, created_at, updated_at, closed_at, merged_at},
//	                   label, reason, changes
//	registry_package   action, registry_package{id, name, namespace, description, ecosystem,
//	                   package_type, html_url, owner, package_version{id, version, name,
//	                   description, summary, body, metadata, container_metadata{tag{name,
//	                   digest}, labels{description, source, revision, all_labels},
//	                   manifest{digest, media_type, uri, size}}, package_url,
//	                   installation_command, html_url, target_commitish, target_oid,
//	                   created_at, updated_at}, created_at, updated_at}
//	release            action, release{id, node_id, tag_name, target_commitish, name, body,
//	                   draft, prerelease, author, assets{id, node_id, name, label,
//	                   content_type, state, size, digest, url, browser_download_url,
//	                   created_at, updated_at}, created_at, published_at, url, html_url,
//	                   assets_url, upload_url, tarball_url, zipball_url}, changes
//	status             id, sha, name, context, state, description, target_url, avatar_url,
//	                   commit{sha, node_id, commit{message, author, committer}, author,
//	                   committer, url, html_url}, branches{name, protected, commit{sha, url}},
//	                   created_at, updated_at
//	workflow_run       action, workflow{id, node_id, name, path, state, url, html_url},
//	                   workflow_run{id, node_id, name, display_title, path, run_number,
//	                   run_attempt, event, status, conclusion, head_branch, head_sha,
//	                   head_commit{id, tree_id, message, timestamp, author, committer},
//	                   head_repository, pull_requests, workflow_id, check_suite_id, actor,
//	                   triggering_actor, url, html_url, jobs_url, logs_url, artifacts_url,
//	                   created_at, updated_at, run_started_at}
package github
