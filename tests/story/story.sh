#!/usr/bin/env bash
# The story with plain curl. Expects URL, CA and the passwords ELASTIC, ML_ADMIN, ML_USER, READER.
set -euo pipefail

# es USER METHOD PATH [BODY]: prints the answer and the status behind it.
es() {
  local user=$1 method=$2 path=$3 type=application/json
  local password
  case "$user" in elastic) password=$ELASTIC;; ml_admin) password=$ML_ADMIN;; ml_user) password=$ML_USER;; reader) password=$READER;; esac
  case "$path" in */_bulk*) type=application/x-ndjson;; esac
  if [ $# -gt 3 ]; then
    curl -sS --cacert "$CA" -u "$user:$password" -X "$method" -H "Content-Type: $type" -w '\n%{http_code}' --data-binary "$4" "$URL$path"
  else
    curl -sS --cacert "$CA" -u "$user:$password" -X "$method" -w '\n%{http_code}' "$URL$path"
  fi
}
fail() { echo "FAILED: $*" >&2; exit 1; }
# expect STATUS TEXT USER METHOD PATH [BODY]: the answer has that status and holds that text.
expect() {
  local status=$1 text=$2 answer
  shift 2
  answer=$(es "$@")
  [ "${answer##*$'\n'}" = "$status" ] || fail "$1 $2 $3: expected $status, got: $answer"
  grep -qF -- "$text" <<<"$answer" || fail "$1 $2 $3: expected [$text] in: $answer"
}
# eventually TEXT USER METHOD PATH: the answer holds that text within a minute.
eventually() {
  local text=$1
  shift
  for _ in $(seq 240); do
    if grep -qF -- "$text" <<<"$(es "$@")"; then return; fi
    sleep 0.25
  done
  fail "$1 $2 $3: no [$text] within a minute: $(es "$@")"
}
# documents FROM TO: NDJSON of one document a minute, FROM and TO in minutes before now.
documents() {
  local now minute
  now=$(($(date +%s) / 60 * 60))
  for minute in $(seq "$1" -1 "$2"); do
    printf '{"index":{}}\n{"@timestamp":%d000,"responsetime":%d}\n' $((now - minute * 60)) $((100 + minute % 7))
  done
}
# fresh COUNT: that many documents of this moment, a millisecond apart.
fresh() {
  local now number
  now=$(date +%s)
  for number in $(seq 100 $((99 + $1))); do printf '{"index":{}}\n{"@timestamp":%d%d,"responsetime":104}\n' "$now" "$number"; done
}

expect 200 '"errors":false' elastic POST '/web/_bulk?refresh=true' "$(documents 300 101)
"
expect 200 '"job_id":"web"' ml_admin PUT /_ml/anomaly_detectors/web '{"analysis_config":{"bucket_span":"10m","detectors":[{"function":"mean","field_name":"responsetime"}]},"data_description":{"time_field":"@timestamp","time_format":"epoch_ms"}}'
# A datafeed reads with the rights of who created it.
expect 403 'Cannot create datafeed [web-feed] because user ml_admin lacks permissions on the indices: {\"web\":{\"indices:data/read/search\":false}}' ml_admin PUT /_ml/datafeeds/web-feed '{"job_id":"web","indices":["web"]}'
expect 200 '"datafeed_id":"web-feed"' elastic PUT /_ml/datafeeds/web-feed '{"job_id":"web","indices":["web"],"query_delay":"1s","frequency":"1s"}'
expect 403 'action [cluster:admin/xpack/ml/job/open] is unauthorized for user [reader] with effective roles [viewer], this action is granted by the cluster privileges [manage_ml,manage,all]' reader POST /_ml/anomaly_detectors/web/_open
expect 403 '[ml_user]' ml_user POST /_ml/anomaly_detectors/web/_open
expect 200 '"opened":true' ml_admin POST /_ml/anomaly_detectors/web/_open
expect 200 '"started":true' ml_admin POST '/_ml/datafeeds/web-feed/_start?start=0'
eventually '"processed_record_count":200' ml_user GET /_ml/anomaly_detectors/web/_stats
eventually '"anomaly_score"' ml_user GET /_ml/anomaly_detectors/web/results/buckets
expect 403 'cluster:monitor/xpack/ml/job/results/buckets/get' reader GET /_ml/anomaly_detectors/web/results/buckets
expect 403 'cluster:monitor/xpack/ml/info/get' reader GET /_ml/info
expect 200 '"hits"' reader GET '/web/_search?size=1'

expect 200 '{"acknowledged":true}' ml_admin POST '/_ml/set_upgrade_mode?enabled=true&timeout=1m'
expect 200 '"upgrade_mode":true' ml_user GET /_ml/info
for user in ml_admin elastic; do
  expect 429 'Cannot perform cluster:admin/xpack/ml/job/open action while upgrade mode is enabled' $user POST /_ml/anomaly_detectors/web/_open
  expect 429 'Cannot perform cluster:admin/xpack/ml/datafeed/start action while upgrade mode is enabled' $user POST /_ml/datafeeds/web-feed/_start
  expect 429 'Cannot perform cluster:admin/xpack/ml/job/close action while upgrade mode is enabled' $user POST /_ml/anomaly_detectors/_all/_close
done
expect 403 '[reader]' reader POST /_ml/anomaly_detectors/web/_open
expect 200 'persistent task cannot be assigned while upgrade mode is enabled.' ml_user GET /_ml/anomaly_detectors/web/_stats
expect 200 '"state":"opened"' ml_user GET /_ml/anomaly_detectors/web/_stats
expect 200 '"errors":false' elastic POST '/web/_bulk?refresh=true' "$(fresh 50)
"
expect 200 '{"acknowledged":true}' ml_admin POST '/_ml/set_upgrade_mode?enabled=false&timeout=1m'
expect 200 '"upgrade_mode":false' ml_user GET /_ml/info
eventually '"processed_record_count":250' ml_user GET /_ml/anomaly_detectors/web/_stats
expect 200 '"out_of_order_timestamp_count":0' ml_user GET /_ml/anomaly_detectors/web/_stats

expect 200 '{"stopped":true}' ml_admin POST /_xpack/ml/datafeeds/_all/_stop
expect 200 '{"closed":true}' ml_admin POST /_xpack/ml/anomaly_detectors/_all/_close
expect 200 '"state":"stopped"' ml_user GET /_ml/datafeeds/web-feed/_stats
expect 200 '"state":"closed"' ml_user GET /_ml/anomaly_detectors/web/_stats
expect 200 '"opened":true' ml_admin POST /_ml/anomaly_detectors/web/_open
expect 200 '{"closed":true}' ml_admin POST /_ml/anomaly_detectors/web/_close
# A wrong path below _ml never reaches the cluster, a wrong password nobody.
expect 400 'no handler found for uri [/_ml/_bulk] and method [POST]' elastic POST /_ml/_bulk '{}'
ML_USER=wrong-password
expect 401 'unable to authenticate user [ml_user] for REST request [/_ml/info]' ml_user GET /_ml/info
echo "curl: the story holds"
