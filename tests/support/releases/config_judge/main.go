// Says what etcd itself makes of configuration files. Reads one path a line from standard input; answers each with a
// line of JSON: what etcd takes from the file, or why it refuses it. etcd ends the process over some files (a URL that
// is none); whoever asks then starts another one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

func urls(list []url.URL) string {
	text := ""
	for i := range list {
		if i > 0 {
			text += ","
		}
		text += list[i].String()
	}
	return text
}

func security(block string, info transport.TLSInfo, auto bool, values map[string]any) {
	values[block+".cert-file"] = info.CertFile
	values[block+".key-file"] = info.KeyFile
	values[block+".client-cert-file"] = info.ClientCertFile
	values[block+".client-key-file"] = info.ClientKeyFile
	values[block+".client-cert-auth"] = info.ClientCertAuth
	values[block+".trusted-ca-file"] = info.TrustedCAFile
	values[block+".auto-tls"] = auto
}

func judge(path string) (answer map[string]any) {
	defer func() {
		if panicked := recover(); panicked != nil {
			answer = map[string]any{"refusal": fmt.Sprint(panicked)}
		}
	}()
	config, err := embed.ConfigFromFile(path)
	if err != nil {
		return map[string]any{"refusal": err.Error()}
	}
	values := map[string]any{
		"name":                        config.Name,
		"data-dir":                    config.Dir,
		"wal-dir":                     config.WalDir,
		"listen-peer-urls":            urls(config.ListenPeerUrls),
		"listen-client-urls":          urls(config.ListenClientUrls),
		"initial-advertise-peer-urls": urls(config.AdvertisePeerUrls),
		"advertise-client-urls":       urls(config.AdvertiseClientUrls),
		"listen-metrics-urls":         urls(config.ListenMetricsUrls),
		"initial-cluster":             config.InitialCluster,
		"initial-cluster-token":       config.InitialClusterToken,
		"initial-cluster-state":       config.ClusterState,
		"auto-compaction-mode":        config.AutoCompactionMode,
		"auto-compaction-retention":   config.AutoCompactionRetention,
		"heartbeat-interval":          config.TickMs,
		"election-timeout":            config.ElectionMs,
		"quota-backend-bytes":         config.QuotaBackendBytes,
		"snapshot-count":              config.SnapshotCount,
		"pre-vote":                    config.PreVote,
		"force-new-cluster":           config.ForceNewCluster,
		"log-level":                   config.LogLevel,
		"log-outputs":                 config.LogOutputs,
	}
	security("client-transport-security", config.ClientTLSInfo, config.ClientAutoTLS, values)
	security("peer-transport-security", config.PeerTLSInfo, config.PeerAutoTLS, values)
	return map[string]any{"values": values}
}

func main() {
	paths := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for paths.Scan() {
		if err := answers.Encode(judge(paths.Text())); err != nil {
			panic(err)
		}
	}
}
