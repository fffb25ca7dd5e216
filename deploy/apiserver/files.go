package apiserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// The files that the servers read.
const (
	caCert      = "ca.crt"
	servingCert = "serving.crt"
	servingKey  = "serving.key"
	tokenKey    = "tokens.key" // signs the tokens of service accounts
)

// validFor is longer than any test, and not much longer.
const validFor = 24 * time.Hour

// writeFiles makes an authority of its own, the server's certificate, and a kubeconfig with a certificate of the group
// that may do everything.
func writeFiles(dir, url string) error {
	ca, err := newPair(&x509.Certificate{
		Subject: pkix.Name{CommonName: "faultline-test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil)
	if err != nil {
		return err
	}
	serving, err := newPair(&x509.Certificate{
		Subject: pkix.Name{CommonName: "kube-apiserver"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca)
	if err != nil {
		return err
	}
	admin, err := newPair(&x509.Certificate{
		Subject:  pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca)
	if err != nil {
		return err
	}
	tokens, err := newPair(&x509.Certificate{Subject: pkix.Name{CommonName: "tokens"}}, ca)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		caCert: ca.certPEM, servingCert: serving.certPEM, servingKey: serving.keyPEM, tokenKey: tokens.keyPEM,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return clientcmd.WriteToFile(kubeconfig(url, ca, admin), filepath.Join(dir, "kubeconfig"))
}

func kubeconfig(url string, ca, admin *pair) api.Config {
	const name = "faultline-test"
	return api.Config{
		CurrentContext: name,
		Contexts:       map[string]*api.Context{name: {Cluster: name, AuthInfo: name, Namespace: "default"}},
		Clusters:       map[string]*api.Cluster{name: {Server: url, CertificateAuthorityData: ca.certPEM}},
		AuthInfos: map[string]*api.AuthInfo{
			name: {ClientCertificateData: admin.certPEM, ClientKeyData: admin.keyPEM},
		},
	}
}

// pair is a certificate and its key.
type pair struct {
	cert            *x509.Certificate
	key             crypto.Signer
	certPEM, keyPEM []byte
}

// newPair makes a certificate that by signs, or that signs itself where by is nil.
func newPair(template *x509.Certificate, by *pair) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, err
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(validFor)
	parent, signer := template, crypto.Signer(key)
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &pair{
		cert: cert, key: key,
		certPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		keyPEM:  pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}),
	}, nil
}
