package kind

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	manifests "github.com/faultline-lab/faultline/deploy/kubernetes"
)

// loadImages brings ours and those of the engine to the node. Where a registry answers, what of the published ones cannot
// be brought is left to the node, which fetches it.
func (a *ascent) loadImages(ctx context.Context, say func(string)) (string, error) {
	node, err := theNode(a.cfg.Cluster)
	if err != nil {
		return "", err
	}
	there, err := imagesOn(node)
	if err != nil {
		return "", err
	}
	wanted := cargo{ours: a.images, foreign: foreign(a.objects)}
	if a.node.Airgapped {
		wanted.foreign = slices.Sorted(maps.Values(a.node.Stack))
	}
	missing := wanted.missing(there)
	if missing.size() == 0 {
		return "the node has them all", nil
	}
	say(fmt.Sprintf("bringing %d into the node", missing.size()))
	if a.node.Airgapped {
		return fmt.Sprintf("%d brought into the node", missing.size()), missing.bring(ctx, a.engine, node)
	}
	if err := (cargo{ours: missing.ours}).bring(ctx, a.engine, node); err != nil {
		return "", err
	}
	err = cargo{foreign: missing.foreign}.bring(ctx, a.engine, node)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return fmt.Sprintf("ours brought into the node, which fetches the others itself (%v)", err), nil
	default:
		return fmt.Sprintf("%d brought into the node", missing.size()), nil
	}
}

// replacements are the images to run, by the name in the manifests.
func (a *ascent) replacements() map[string]string {
	refs := maps.Clone(a.node.Stack)
	if refs == nil {
		refs = map[string]string{}
	}
	for _, image := range a.images {
		refs[image.Name] = image.Ref()
	}
	return refs
}

func (a *ascent) makeSecrets(ctx context.Context, _ func(string)) (string, error) {
	namespace := manifests.Namespace(a.objects)
	if err := ensureNamespace(ctx, a.client, namespace); err != nil {
		return "", fmt.Errorf("namespace %s: %w", namespace, err)
	}
	passwords, err := ensureSecret(ctx, a.client, namespace, databaseSecret,
		superuserPassword, ordersPassword, inventoryPassword, autohealPassword)
	if err != nil {
		return "", err
	}
	healer, err := ensureSecret(ctx, a.client, namespace, healerSecret, webhookToken, apiToken)
	if err != nil {
		return "", err
	}
	if _, err := ensureSecret(ctx, a.client, namespace, edgeSecret, controlToken); err != nil {
		return "", err
	}
	a.stack = addresses(a.cfg, a.at, namespace, passwords, a.marker.MadeAt, a.grafana)
	return "passwords and tokens are in the cluster", errors.Join(
		os.WriteFile(a.at.WebhookToken, []byte(healer[webhookToken]+"\n"), 0o600),
		os.WriteFile(a.at.APIToken, []byte(healer[apiToken]+"\n"), 0o600))
}

func (a *ascent) apply(ctx context.Context, say func(string)) (string, error) {
	objects, err := manifests.Render(manifests.Options{Overlay: overlay, Images: a.replacements(), WithoutGrafana: !a.grafana})
	if err != nil {
		return "", err
	}
	err = manifests.Apply(ctx, a.config, objects, manifests.ApplyOptions{Progress: say})
	return fmt.Sprintf("overlay %s: %d objects", overlay, len(objects)), err
}

func (a *ascent) awaitReady(ctx context.Context, say func(string)) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, a.cfg.ReadyWithin, fmt.Errorf("not ready within %s", a.cfg.ReadyWithin))
	defer cancel()
	namespace := manifests.Namespace(a.objects)
	err := manifests.WaitReady(ctx, a.config, namespace, func(waiting []string) {
		say("waiting for " + strings.Join(waiting, ", "))
	})
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: `stack kind status` shows the pods", err)
	}
	return "every pod of namespace " + namespace, err
}

func (a *ascent) awaitAnswers(ctx context.Context, say func(string)) (string, error) {
	asked := questions(a.stack)
	err := allAnswer(ctx, answersWithin, asked, say)
	return fmt.Sprintf("%d parts answer on the host", len(asked)), err
}
