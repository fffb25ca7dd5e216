package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/faultline-lab/faultline/chaos/control"
)

const (
	revisionAnnotation = "deployment.kubernetes.io/revision"
	templateHashLabel  = "pod-template-hash"
	releaseAnnotation  = "faultline.dev/release-" // and the version: the image of a release of a Deployment
	mainContainer      = "main"                   // that of the workload, in every pod of ours
	port               = "8080"                   // of every program of ours (docs/contracts.md)
)

// SetVersion rolls a version out: the pod template that had it last, else today's with the version's label, with the image that
// the Deployment names for it. It returns when that is accepted, not when the pods are ready.
func (c *Client) SetVersion(ctx context.Context, workload, version string) error {
	d, err := c.config.API.AppsV1().Deployments(c.config.Namespace).Get(ctx, workload, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("the Kubernetes API: %w", err)
	}
	template, err := c.templateOf(ctx, d, version)
	if err != nil {
		return err
	}
	d.Spec.Template = template
	_, err = c.config.API.AppsV1().Deployments(c.config.Namespace).Update(ctx, d, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return fmt.Errorf("%w: %w", control.ErrConflict, err)
	}
	if err != nil {
		return fmt.Errorf("the Kubernetes API: %w", err)
	}
	return nil
}

// templateOf finds the template of the newest ReplicaSet of that version; without one it makes the version's from the
// present one. The image that the Deployment names for the version has the last word: a ReplicaSet may be of an older build.
func (c *Client) templateOf(ctx context.Context, d *appsv1.Deployment, version string) (corev1.PodTemplateSpec, error) {
	sets, err := c.config.API.AppsV1().ReplicaSets(c.config.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector),
	})
	if err != nil {
		return corev1.PodTemplateSpec{}, fmt.Errorf("the releases of %s: %w", d.Name, err)
	}
	known := slices.DeleteFunc(sets.Items, func(set appsv1.ReplicaSet) bool {
		return !metav1.IsControlledBy(&set, d) || set.Spec.Template.Labels[versionLabel] != version
	})
	image := d.Annotations[releaseAnnotation+version]
	if len(known) == 0 && image == "" {
		return corev1.PodTemplateSpec{}, fmt.Errorf("%s has no version %s: no release of it is known, and no annotation %s%s names its image",
			d.Name, version, releaseAnnotation, version)
	}
	from := d.Spec.Template
	if len(known) > 0 {
		newest := slices.MaxFunc(known, func(a, b appsv1.ReplicaSet) int { return cmp.Compare(revision(a), revision(b)) })
		from = newest.Spec.Template
	}
	template := *from.DeepCopy()
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	delete(template.Labels, templateHashLabel)
	template.Labels[versionLabel] = version
	if image == "" {
		return template, nil
	}
	return template, setImage(d.Name, template, image)
}

// setImage gives the workload's own container an image. Without such a container another image would go out under the
// version's name.
func setImage(workload string, template corev1.PodTemplateSpec, image string) error {
	at := slices.IndexFunc(template.Spec.Containers, func(container corev1.Container) bool { return container.Name == mainContainer })
	if at < 0 {
		return fmt.Errorf("%s has no container %q that could be given the image %s", workload, mainContainer, image)
	}
	template.Spec.Containers[at].Image = image
	return nil
}

func revision(set appsv1.ReplicaSet) int {
	n, _ := strconv.Atoi(set.Annotations[revisionAnnotation]) // without one it is the oldest
	return n
}

// Ask calls a pod through the API server.
func (c *Client) Ask(ctx context.Context, _ string, replica control.Replica, method, path string, body, into any) error {
	request := c.config.API.CoreV1().RESTClient().Verb(method).Namespace(c.config.Namespace).
		Resource("pods").Name(replica.ID + ":" + port).SubResource("proxy").Suffix(path)
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		request = request.SetHeader("Content-Type", "application/json").Body(data)
	}
	answer, err := request.DoRaw(ctx)
	if refused, ok := errors.AsType[*apierrors.StatusError](err); ok {
		return control.NewRefusal(int(refused.ErrStatus.Code), method+" "+path+" of "+replica.ID, answer)
	}
	if err != nil {
		return fmt.Errorf("the Kubernetes API: %w", err)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%s %s of %s: the answer is not what was agreed: %w", method, path, replica.ID, err)
	}
	return nil
}
