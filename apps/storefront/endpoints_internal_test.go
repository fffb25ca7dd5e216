package storefront

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// pod is an endpoint as Kubernetes makes it for a pod.
func pod(name, address string, conditions discoveryv1.EndpointConditions) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{
		Addresses: []string{address}, Conditions: conditions,
		TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: name},
	}
}

func slice(family discoveryv1.AddressType, ports []discoveryv1.EndpointPort, endpoints ...discoveryv1.Endpoint) discoveryv1.EndpointSlice {
	return discoveryv1.EndpointSlice{AddressType: family, Ports: ports, Endpoints: endpoints}
}

func port(name string, number int32) discoveryv1.EndpointPort {
	return discoveryv1.EndpointPort{Name: &name, Port: &number}
}

func TestWhichEndpointsAreBackends(t *testing.T) {
	var (
		http    = []discoveryv1.EndpointPort{port("metrics", 9100), port("http", 8080)}
		unknown = discoveryv1.EndpointConditions{}
		ready   = discoveryv1.EndpointConditions{Ready: new(true), Serving: new(true), Terminating: new(false)}
		starts  = discoveryv1.EndpointConditions{Ready: new(false), Serving: new(false), Terminating: new(false)}
		// A Service with publishNotReadyAddresses calls a pod ready although it ends.
		ends = discoveryv1.EndpointConditions{Ready: new(true), Serving: new(true), Terminating: new(true)}
	)
	const v4, v6, fqdn = discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6, discoveryv1.AddressTypeFQDN
	one, two := Backend{URL: "http://10.0.0.1:8080", Instance: "orders-a"}, Backend{URL: "http://10.0.0.2:8080", Instance: "orders-b"}
	for name, test := range map[string]struct {
		slices []discoveryv1.EndpointSlice
		want   []Backend
	}{
		"no slice is no backend": {nil, nil},
		"pods come in one order, whatever that of the slices": {
			[]discoveryv1.EndpointSlice{slice(v4, http, pod("orders-b", "10.0.0.2", ready)), slice(v4, http, pod("orders-a", "10.0.0.1", ready))},
			[]Backend{one, two},
		},
		"an unknown readiness counts as ready": {
			[]discoveryv1.EndpointSlice{slice(v4, http, pod("orders-a", "10.0.0.1", unknown))},
			[]Backend{one},
		},
		"a pod that starts or ends is left out": {
			[]discoveryv1.EndpointSlice{slice(v4, http, pod("orders-a", "10.0.0.1", ready), pod("orders-b", "10.0.0.2", starts), pod("orders-c", "10.0.0.3", ends))},
			[]Backend{one},
		},
		"a pod in two slices is one backend": {
			[]discoveryv1.EndpointSlice{slice(v4, http, pod("orders-a", "10.0.0.1", ready)), slice(v4, http, pod("orders-a", "10.0.0.1", ready))},
			[]Backend{one},
		},
		"a pod with two families is asked over IPv4": {
			[]discoveryv1.EndpointSlice{slice(v6, http, pod("orders-a", "fd00::1", ready)), slice(v4, http, pod("orders-a", "10.0.0.1", ready))},
			[]Backend{one},
		},
		"IPv6 alone serves too": {
			[]discoveryv1.EndpointSlice{slice(v6, http, pod("orders-a", "fd00::1", ready))},
			[]Backend{{URL: "http://[fd00::1]:8080", Instance: "orders-a"}},
		},
		"an endpoint without a pod has no instance": {
			[]discoveryv1.EndpointSlice{slice(v4, http, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}}, discoveryv1.Endpoint{Addresses: []string{"10.0.0.2"}})},
			[]Backend{{URL: "http://10.0.0.1:8080"}, {URL: "http://10.0.0.2:8080"}},
		},
		"a slice without the port takes no requests": {
			[]discoveryv1.EndpointSlice{slice(v4, []discoveryv1.EndpointPort{port("metrics", 9100), {}}, pod("orders-a", "10.0.0.1", ready))},
			nil,
		},
		"names are not addresses": {
			[]discoveryv1.EndpointSlice{slice(fqdn, http, pod("orders-a", "orders.example", ready))},
			nil,
		},
		"an endpoint without an address is none": {
			[]discoveryv1.EndpointSlice{slice(v4, http, discoveryv1.Endpoint{})},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := backends(test.slices); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
