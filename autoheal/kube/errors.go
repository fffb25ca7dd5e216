package kube

import (
	"fmt"

	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// explain maps an answer of the API server to the errors that callers tell apart.
func explain(err error, what string) error {
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("kubernetes: %s: %w: %w", what, workload.ErrNotFound, err)
	case apierrors.IsConflict(err):
		return fmt.Errorf("kubernetes: %s: %w: %w", what, workload.ErrConflict, err)
	case apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause):
		return fmt.Errorf("kubernetes: %s: a PodDisruptionBudget does not allow it at this moment: %w: %w", what, workload.ErrNotNow, err)
	case apierrors.IsTooManyRequests(err):
		return fmt.Errorf("kubernetes: %s: the API server is busy: %w: %w", what, workload.ErrNotNow, err)
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return fmt.Errorf("kubernetes: %s: %w: %w (does the healer's Role or an admission policy miss it?)", what, workload.ErrRefused, err)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return fmt.Errorf("kubernetes: %s: %w: %w", what, workload.ErrRefused, err)
	}
	return fmt.Errorf("kubernetes: %s: %w", what, err)
}

// optedIn refuses what its owners have not given into the healer's hands. No label means no.
func optedIn(kind, name string, labels map[string]string) error {
	if labels[workload.OptInLabel] != "enabled" {
		return fmt.Errorf("%s %s is not labelled %s=enabled: %w", kind, name, workload.OptInLabel, workload.ErrRefused)
	}
	return nil
}
