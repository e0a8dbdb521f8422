// Says what Go makes of certificates, as crypto/tls does for etcd. Reads lines of FILE CAFILE USAGE HOST (HOST may be
// "-") from standard input; answers each with "ok" or the reason.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

func read(path string) (found []*x509.Certificate) {
	rest, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			return found
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			panic(err)
		}
		found = append(found, certificate)
	}
}

func main() {
	usages := map[string]x509.ExtKeyUsage{"server": x509.ExtKeyUsageServerAuth, "client": x509.ExtKeyUsageClientAuth}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		chain := read(words[0])
		options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
			KeyUsages: []x509.ExtKeyUsage{usages[words[2]]}}
		for _, one := range read(words[1]) {
			options.Roots.AddCert(one)
		}
		for _, one := range chain[1:] {
			options.Intermediates.AddCert(one)
		}
		_, err := chain[0].Verify(options)
		if err == nil && words[3] != "-" {
			err = chain[0].VerifyHostname(words[3])
		}
		if err == nil {
			fmt.Println("ok")
		} else {
			fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
}
