// Package github receives the webhooks of GitHub and GitHub Enterprise Server.
//
// [Source] is all that a [webhook.Receiver] needs. It verifies the signature in
// X-Hub-Signature-256 over the exact body, takes JSON and forms, and tells what
// a delivery is about; callbacks get typed payloads:
//
//	mux := webhook.Mux{IgnoreUnhandled: true}
//	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[github.Push]) error {
//		return build(ctx, e.Payload.Repository.CloneURL, e.Payload.After)
//	})
//	http.Handle("/hooks/github", webhook.NewReceiver(github.Source(secret), webhook.Store(inbox)))
//
// [Middleware] does the same for an http.Handler of your own. A ping needs no
// callback: what nothing is registered for is answered 202. Behind an inbox set
// [webhook.Mux.IgnoreUnhandled], or it waits there for a worker that routes it.
//
// # What GitHub does
//
// It waits 10 seconds for an answer (30 on Enterprise Server), counts all but
// 2xx as failed, and never tries again by itself. For three days (seven on
// Enterprise Server) one can ask for a redelivery, which has the same id. It
// promises no order, and sends nothing that is larger than 25 MB. So answer
// first and work later, from an inbox. (github/docs: webhooks.)
//
// # Types and keys
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
// A body that should have a key is malformed if a name that is read for the
// ordering key or a dedup key stands there twice or in another case: it could
// mean one thing here and another to a decoder. It is stored all the same and
// fails when it is decoded.
//
// # Duplicates
//
// A delivery whose id is known is a duplicate. GitHub's redelivery has the id of
// the first, so it is one too, unless the first has ended dead: then it is tried
// again. All hooks and Apps that are told of one event get the same id, with
// different bodies (github/docs issue 32822). So the secrets of one Source are for
// rotation: an App or hook whose deliveries must not be taken for another's needs
// a Source of its own, with another Name; types are the same under any Name.
//
// Event name and id are headers, which the signature does not cover: whoever has
// captured a call can send it again under a new id. For some events the signature
// is a second dedup key, which makes that a duplicate while dedup keys are
// remembered. It cannot be one for all: a label is added, removed, and added
// again, and the second addition is equal to the byte. It is a dedup key where
// the body has what GitHub mints for this one event:
//
//	branch_protection_rule       created    rule.id
//	commit_comment               created    comment.id
//	deploy_key                   created    key.id
//	deployment                   created    deployment.id
//	deployment_status            created    deployment_status.id
//	discussion_comment           created    comment.id
//	fork                                    forkee.id
//	installation                 created    installation.id
//	issue_comment                created    comment.id
//	issues                       opened     issue.id, and no changes
//	label                        created    label.id
//	milestone                    created    milestone.id
//	project                      created    project.id
//	project_card                 created    project_card.id
//	project_column               created    project_column.id
//	projects_v2                  created    projects_v2.id
//	projects_v2_status_update    created    projects_v2_status_update.id
//	pull_request                 opened     pull_request.id
//	pull_request_review          submitted  review.id
//	pull_request_review_comment  created    comment.id
//	push                                    ref, before, after, repository.pushed_at
//	repository_ruleset           created    repository_ruleset.id
//	status                                  id
//	team                         created    team.id
//
// The body must have the field: an old server may not send it, or no action. An
// issue that was opened has changes if it was transferred from elsewhere; it may
// be transferred back. A push is known by its body under any event's name, so that
// a captured one does not become a create or delete. A branch that is forced to a
// commit, back, and to it again within one second counts as forced once. Testing a
// hook sends the latest push again, which is a duplicate where the body is equal to
// the byte.
//
// Whoever captured one of the following calls can send it again under a new id,
// and it is stored and runs: all other actions of the events above, a body above
// without its field, what GitHub adds, and
//
//	branch_protection_configuration, bypass_request_secret_scanning, cache_sync,
//	check_run, check_suite, code_scanning_alert, content_reference, create,
//	custom_property, custom_property_values, delete, dependabot_alert,
//	deployment_protection_rule, deployment_review, discussion,
//	dismissal_request_code_scanning, dismissal_request_secret_scanning, enterprise,
//	exemption_request_push_ruleset, github_app_authorization, gollum,
//	installation_repositories, installation_target, issue_dependencies,
//	marketplace_purchase, member, membership, merge_group, meta, org_block,
//	organization, organization_custom_property,
//	organization_custom_property_values, package, page_build,
//	personal_access_token_request, ping, projects_v2_item, public,
//	pull_request_review_thread, registry_package, release, repository,
//	repository_advisory, repository_dispatch, repository_import,
//	repository_vulnerability_alert, secret_scanning_alert,
//	secret_scanning_alert_location, secret_scanning_scan, security_advisory,
//	security_and_analysis, sponsorship, star, sub_issues, team_add, user, watch,
//	workflow_dispatch, workflow_job, workflow_run
//
// It can come under the name of another event, too. A callback that must not run
// for an old call asks GitHub's API how things are now. Some of these bodies have
// an id, and are not above since it is that of a thing to which the same can
// happen twice: a check or a workflow runs again, a release goes back to draft, a
// repository is deleted and restored, an item leaves a project and returns. A time
// is in whole seconds, and a commit can be pushed again.
//
// To decide otherwise for an event, wrap the Source's Describe and set
// DedupBySignature; see the example of Source.
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
