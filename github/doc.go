// Package github receives the webhooks of GitHub and GitHub Enterprise Server.
//
// Pass a [Source] to [webhook.NewReceiver] and register callbacks that take a
// typed payload. A Source verifies the signature in X-Hub-Signature-256 over
// the exact body, accepts JSON and forms, and determines the type and the keys
// of a delivery.
//
//	mux := webhook.Mux{IgnoreUnhandled: true}
//	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[github.Push]) error {
//		return build(ctx, e.Payload.Repository.CloneURL, e.Payload.After)
//	})
//	http.Handle("/hooks/github", webhook.NewReceiver(github.Source(secret), webhook.Store(inbox)))
//
// [webhook.Source.Middleware] of the same Source wraps your own http.Handler.
//
// A ping needs no callback: a Receiver answers 202 for an event without one.
// Behind an inbox set [webhook.Mux.IgnoreUnhandled]; otherwise such a delivery
// stays in the inbox until a worker has a callback for it.
//
// # The sender
//
// GitHub waits 10 seconds for an answer (30 on Enterprise Server), counts every
// status other than 2xx as a failure, and never retries by itself. For three
// days (seven on Enterprise Server) a user can request a redelivery, which has
// the same id. GitHub guarantees no order and sends nothing larger than 25 MB
// (github/docs: webhooks). So store deliveries in an inbox, answer, and process
// them afterwards.
//
// # Missed deliveries
//
// What GitHub sent while the receiver, its host or its network was down is gone
// unless somebody asks for it. A [CatchUp] does that through GitHub's API:
//
//	client, err := github.NewClient("", github.Token(token))
//	catchUp := github.NewCatchUp(client, github.RepositoryHook("owner", "repo", 1), source, inbox)
//	err = webhook.Serve(ctx, server, listener, webhook.NewWorker(inbox, &mux), catchUp)
//
// A delivery that is not in the inbox is sent again by GitHub, signed and under
// the same id, even if GitHub noted a success, since a proxy may have answered.
// It runs once, whether the first call, the second or both arrive. GitHub must
// still list it, which it does for three days, and must reach the receiver; if
// it cannot, see CatchUp.ReadAPI.
//
// The token needs a right: see [RepositoryHook], [OrganizationHook] and
// [AppHook]. A CatchUp asks for one redelivery a second, the pause that GitHub
// recommends between requests, and a personal access token has 5 000 requests an
// hour: a backlog of 40 deliveries is in the inbox within a minute, and one of
// 10 000 takes 10 000 seconds.
// Reading from the API has no such pause. The CatchUp keeps at most 10 000
// missing deliveries in memory, without their bodies, and one body. A look
// reads a page for each hundred deliveries since the last look, so set
// CatchUp.Every for a busy hook.
//
// Package githubtest is that part of GitHub's API, for tests.
//
// As go test -v -run TestTheCost ./github measures it, against package githubtest: a backlog of
// 10 000 takes 10 100 requests and 2 h 50 min by redelivery, and 10 300 and 2 h from the API,
// which is what 5 000 requests an hour allow; both stay under 40 MiB, with the deliveries
// in memory. 1 000 quiet hooks with Every of 10 minutes make 3 000 requests in 30 minutes, at
// most 106 in one, each of them a 304, and take 4 KiB each.
//
// # Types and keys
//
// The type of a delivery is "github." and the name of the event, such as
// "github.push", also for events without a payload type in this package. It is
// "github.unknown" if the header with the name is missing or is not a valid
// name.
//
// Deliveries about the same subject have the same ordering key, so that they
// are processed one after the other:
//
//   - push: "owner/repo refs/heads/main"
//   - pull_request: "owner/repo pull/12"
//   - release: "owner/repo release/v1.2.0"
//   - create: "owner/repo create/<ref>"
//   - delete: "owner/repo delete/<ref>"
//   - workflow_run: "owner/repo workflow_run/<id>"
//   - check_run: "owner/repo check_run/<id>"
//   - check_suite: "owner/repo check_suite/<id>"
//   - status: "owner/repo status/<sha>"
//   - deployment_status: "owner/repo deployment/<id>", the same for all
//     statuses of a deployment
//
// Other events have no ordering key and are processed in any order. Two events
// never share an ordering key.
//
// If an event has an ordering key, its body is malformed if a name that the
// ordering key or a dedup key depends on appears twice or in a different case,
// since another decoder could read it differently. A malformed delivery is
// stored, and decoding it returns [webhook.ErrMalformed].
//
// # Duplicates
//
// A delivery with a known id is a duplicate. GitHub's redelivery has the id of
// the first delivery, so it is a duplicate too. If the first one is a dead
// letter, the redelivery makes the inbox try it again.
//
// All hooks and Apps that receive an event get the same id, with different
// bodies (github/docs issue 32822). So use the secrets of one Source for
// rotation only. If the deliveries of several Apps or hooks must not be
// mistaken for each other, create a Source with a different Name for each; the
// Name does not affect types.
//
// The name of the event and the id are headers, which the signature does not
// cover: anybody who captured a call can send it again under a new id. For some
// events the signature is a second dedup key, which makes such a call a
// duplicate as long as the inbox remembers dedup keys. This does not work for
// all events: if a label is added, removed and added again, the body of the
// second addition has the same bytes. The signature is a dedup key if the body
// has a value that GitHub creates for this one event:
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
// The body must have the field and the action; old servers may not send them.
// An opened issue has changes if it was transferred from another repository,
// and it may be transferred back. A push is recognized by its body, whatever
// event the header names, since a captured push could otherwise be sent again
// as a create or delete. If a branch is forced to a commit, back, and to that
// commit again within one second, the two equal pushes count as one. The button
// that tests a hook sends the latest push again, which is a duplicate if the
// body has the same bytes.
//
// For all other bodies the id is the only dedup key: a captured call that is
// sent again under a new id is stored and runs. Those are the other actions of
// the events above, bodies of these events that lack the field, events that
// GitHub adds later, and
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
// A captured call can also be sent under the name of another event. A callback
// that must not run for an old call should query the current state from
// GitHub's API.
//
// Some of these bodies have an id, but it belongs to an object to which the
// same thing can happen twice: a check or a workflow runs again, a release
// becomes a draft again, a repository is deleted and restored, an item leaves a
// project and returns. Times have a resolution of one second, and a commit can
// be pushed again.
//
// To decide differently for an event, wrap the Source's Describe and set
// DedupBySignature; see the duplicates example of Source.
//
// # Payloads
//
// [Push] and [Ping] have every field that GitHub documents, and encode to the
// document that they were decoded from. A field that can be null or absent is a
// pointer, or a [wire.Optional] if the difference matters. Unknown fields are
// dropped; [webhook.Delivery.Document] returns the whole document.
//
// The other payloads have the fields that continuous integration needs, listed
// below, and an [Origin] with repository, sender, organization, enterprise and
// installation. For another event, or for more fields, define a type with an
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
