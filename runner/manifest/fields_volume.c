/* The fields of a volume: all its sources. */
#include "runner/manifest/fields.h"

#include "base/cleanup.h"

static const struct field empty_dir_rows[] = {
	ROW("medium", FIELD_STRING, SHAPE_ONE, USE_ACT, "Memory makes it a tmpfs", NULL, NULL),
	ROW("sizeLimit", FIELD_QUANTITY, SHAPE_ONE, USE_ACT,
		"the size of a tmpfs; a pod that is over it on disk is stopped", NULL, NULL),
};
static const struct object empty_dir = OBJECT("EmptyDirVolumeSource", empty_dir_rows);

static const struct field host_path_rows[] = {
	ROW("path", FIELD_STRING, SHAPE_ONE, USE_ACT, "the path on the host", NULL, NULL),
	ROW("type", FIELD_STRING, SHAPE_ONE, USE_ACT, "what must be there, or is made there", NULL, NULL),
};
static const struct object host_path = OBJECT("HostPathVolumeSource", host_path_rows);

#define OPTIONAL_NOTE "what isn't there is left out; else that is an error"
#define IN_FILE       "of the one in the same file"

static const struct field key_rows[] = {
	ROW("key", FIELD_STRING, SHAPE_ONE, USE_ACT, "which of its keys", NULL, NULL),
	ROW("mode", FIELD_INT32, SHAPE_ONE, USE_ACT, "the file's permissions; default defaultMode", NULL,
		NULL),
	ROW("path", FIELD_STRING, SHAPE_ONE, USE_ACT, "the file's path in the volume", NULL, NULL),
};
static const struct object key = OBJECT("KeyToPath", key_rows);

#define DEFAULT_MODE                                                                                        \
	ROW("defaultMode", FIELD_INT32, SHAPE_ONE, USE_ACT, "permissions of the files; default 0644", NULL, \
		NULL)
#define ITEMS                                                                                            \
	ROW("items", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "these keys alone; default a file for each key", \
		NULL, &key)

static const struct field config_map_rows[] = {
	DEFAULT_MODE,
	ITEMS,
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, IN_FILE, NULL, NULL),
	ROW("optional", FIELD_BOOL, SHAPE_ONE, USE_ACT, OPTIONAL_NOTE, NULL, NULL),
};
static const struct object config_map = OBJECT("ConfigMapVolumeSource", config_map_rows);

static const struct field secret_rows[] = {
	DEFAULT_MODE,
	ITEMS,
	ROW("optional", FIELD_BOOL, SHAPE_ONE, USE_ACT, OPTIONAL_NOTE, NULL, NULL),
	ROW("secretName", FIELD_STRING, SHAPE_ONE, USE_ACT, IN_FILE, NULL, NULL),
};
static const struct object secret = OBJECT("SecretVolumeSource", secret_rows);

static const struct field downward_file_rows[] = {
	ROW("fieldRef", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "something of the pod", NULL, &fields_field_ref),
	ROW("mode", FIELD_INT32, SHAPE_ONE, USE_ACT, "the file's permissions; default defaultMode", NULL,
		NULL),
	ROW("path", FIELD_STRING, SHAPE_ONE, USE_ACT, "the file's path in the volume", NULL, NULL),
	ROW("resourceFieldRef", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a limit or request of a container", NULL,
		&fields_resource_ref),
};
static const struct object downward_file = OBJECT("DownwardAPIVolumeFile", downward_file_rows);

static const struct field downward_rows[] = {
	DEFAULT_MODE,
	ROW("items", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "the files", NULL, &downward_file),
};
static const struct object downward = OBJECT("DownwardAPIVolumeSource", downward_rows);

static const struct field trust_bundle_rows[] = {
	PART_OBJECT("labelSelector", &fields_label_selector),
	PART("name", FIELD_STRING),
	PART("optional", FIELD_BOOL),
	PART("path", FIELD_STRING),
	PART("signerName", FIELD_STRING),
};
static const struct object trust_bundle = OBJECT("ClusterTrustBundleProjection", trust_bundle_rows);

static const struct field certificate_rows[] = {
	PART("certificateChainPath", FIELD_STRING),
	PART("credentialBundlePath", FIELD_STRING),
	PART("keyPath", FIELD_STRING),
	PART("keyType", FIELD_STRING),
	PART("maxExpirationSeconds", FIELD_INT32),
	PART("signerName", FIELD_STRING),
	PART_MAP("userAnnotations", FIELD_STRING),
};
static const struct object certificate = OBJECT("PodCertificateProjection", certificate_rows);

static const struct field keys_rows[] = {
	ITEMS,
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, IN_FILE, NULL, NULL),
	ROW("optional", FIELD_BOOL, SHAPE_ONE, USE_ACT, OPTIONAL_NOTE, NULL, NULL),
};
static const struct object keys = OBJECT("ConfigMapProjection", keys_rows);
static const struct object secret_keys = OBJECT("SecretProjection", keys_rows);

static const struct field downward_items_rows[] = {
	ROW("items", FIELD_OBJECT, SHAPE_LIST, USE_ACT, "the files", NULL, &downward_file),
};
static const struct object downward_items = OBJECT("DownwardAPIProjection", downward_items_rows);

static const struct field token_rows[] = {
	PART("audience", FIELD_STRING),
	PART("expirationSeconds", FIELD_INT64),
	PART("path", FIELD_STRING),
};
static const struct object token = OBJECT("ServiceAccountTokenProjection", token_rows);

static const struct field projection_rows[] = {
	ROW("clusterTrustBundle", FIELD_OBJECT, SHAPE_ONE, USE_SOURCE,
		"there is no cluster whose bundle it would be", NULL, &trust_bundle),
	ROW("configMap", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a ConfigMap of the same file", NULL, &keys),
	ROW("downwardAPI", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "what is known of the pod", NULL,
		&downward_items),
	ROW("podCertificate", FIELD_OBJECT, SHAPE_ONE, USE_SOURCE, "nobody signs a certificate", NULL,
		&certificate),
	ROW("secret", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a Secret of the same file", NULL, &secret_keys),
	ROW("serviceAccountToken", FIELD_OBJECT, SHAPE_ONE, USE_SOURCE,
		"there is no API server that a token would be for", NULL, &token),
};
const struct object fields_projection = OBJECT("VolumeProjection", projection_rows);

static const struct field projected_rows[] = {
	DEFAULT_MODE,
	ROW("sources", FIELD_OBJECT, SHAPE_LIST, USE_ACT,
		"what it holds; of two files of one path the later is there", NULL, &fields_projection),
};
static const struct object projected = OBJECT("ProjectedVolumeSource", projected_rows);

static const struct field claim_rows[] = {
	PART("claimName", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
};
static const struct object claim = OBJECT("PersistentVolumeClaimVolumeSource", claim_rows);

static const struct field nfs_rows[] = {
	PART("path", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
	PART("server", FIELD_STRING),
};
static const struct object nfs = OBJECT("NFSVolumeSource", nfs_rows);

static const struct field csi_rows[] = {
	PART("driver", FIELD_STRING),
	PART("fsType", FIELD_STRING),
	PART_OBJECT("nodePublishSecretRef", &fields_name),
	PART("readOnly", FIELD_BOOL),
	PART_MAP("volumeAttributes", FIELD_STRING),
};
static const struct object csi = OBJECT("CSIVolumeSource", csi_rows);

static const struct field image_rows[] = {
	PART("pullPolicy", FIELD_STRING),
	PART("reference", FIELD_STRING),
};
static const struct object image = OBJECT("ImageVolumeSource", image_rows);

static const struct field git_rows[] = {
	PART("directory", FIELD_STRING),
	PART("repository", FIELD_STRING),
	PART("revision", FIELD_STRING),
};
static const struct object git = OBJECT("GitRepoVolumeSource", git_rows);

static const struct field iscsi_rows[] = {
	PART("chapAuthDiscovery", FIELD_BOOL),
	PART("chapAuthSession", FIELD_BOOL),
	PART("fsType", FIELD_STRING),
	PART("initiatorName", FIELD_STRING),
	PART("iqn", FIELD_STRING),
	PART("iscsiInterface", FIELD_STRING),
	PART("lun", FIELD_INT32),
	PART_LIST("portals", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
	PART_OBJECT("secretRef", &fields_name),
	PART("targetPortal", FIELD_STRING),
};
static const struct object iscsi = OBJECT("ISCSIVolumeSource", iscsi_rows);

static const struct field fc_rows[] = {
	PART("fsType", FIELD_STRING),
	PART("lun", FIELD_INT32),
	PART("readOnly", FIELD_BOOL),
	PART_LIST("targetWWNs", FIELD_STRING),
	PART_LIST("wwids", FIELD_STRING),
};
static const struct object fc = OBJECT("FCVolumeSource", fc_rows);

static const struct field claim_spec_source_rows[] = {
	PART("apiGroup", FIELD_STRING),
	PART("kind", FIELD_STRING),
	PART("name", FIELD_STRING),
	PART("namespace", FIELD_STRING),
};
static const struct object claim_spec_source = OBJECT("TypedObjectReference", claim_spec_source_rows);

static const struct field claim_spec_rows[] = {
	PART_LIST("accessModes", FIELD_STRING),
	PART_OBJECT("dataSource", &claim_spec_source),
	PART_OBJECT("dataSourceRef", &claim_spec_source),
	PART_OBJECT("resources", &fields_resources),
	PART_OBJECT("selector", &fields_label_selector),
	PART("storageClassName", FIELD_STRING),
	PART("volumeAttributesClassName", FIELD_STRING),
	PART("volumeMode", FIELD_STRING),
	PART("volumeName", FIELD_STRING),
};
static const struct object claim_spec = OBJECT("PersistentVolumeClaimSpec", claim_spec_rows);

static const struct field claim_template_rows[] = {
	PART_OBJECT("metadata", &fields_metadata),
	PART_OBJECT("spec", &claim_spec),
};
static const struct object claim_template = OBJECT("PersistentVolumeClaimTemplate", claim_template_rows);

static const struct field ephemeral_rows[] = {
	PART_OBJECT("volumeClaimTemplate", &claim_template),
};
static const struct object ephemeral = OBJECT("EphemeralVolumeSource", ephemeral_rows);

#define SOURCE(name, note, object) ROW(name, FIELD_OBJECT, SHAPE_ONE, USE_SOURCE, note, NULL, object)
#define NO_CONTENT                 "its content would be missing"

static const struct field volume_rows[] = {
	SOURCE("awsElasticBlockStore", NO_CONTENT, &fields_aws_disk),
	SOURCE("azureDisk", NO_CONTENT, &fields_azure_disk),
	SOURCE("azureFile", NO_CONTENT, &fields_azure_file),
	SOURCE("cephfs", NO_CONTENT, &fields_cephfs),
	SOURCE("cinder", NO_CONTENT, &fields_cinder),
	ROW("configMap", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a file for each key of a ConfigMap; read-only",
		NULL, &config_map),
	SOURCE("csi", NO_CONTENT, &csi),
	ROW("downwardAPI", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "files with what is known of the pod; read-only",
		NULL, &downward),
	ROW("emptyDir", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "an empty folder that lives as long as the pod",
		NULL, &empty_dir),
	SOURCE("ephemeral", NO_CONTENT, &ephemeral),
	SOURCE("fc", NO_CONTENT, &fc),
	SOURCE("flexVolume", NO_CONTENT, &fields_flex),
	SOURCE("flocker", NO_CONTENT, &fields_flocker),
	SOURCE("gcePersistentDisk", NO_CONTENT, &fields_gce_disk),
	SOURCE("gitRepo", NO_CONTENT, &git),
	SOURCE("glusterfs", NO_CONTENT, &fields_glusterfs),
	ROW("hostPath", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "a file or folder of the host", NULL, &host_path),
	SOURCE("image", NO_CONTENT, &image),
	SOURCE("iscsi", NO_CONTENT, &iscsi),
	ROW("name", FIELD_STRING, SHAPE_ONE, USE_ACT, "what volumeMounts call it", NULL, NULL),
	SOURCE("nfs", NO_CONTENT, &nfs),
	SOURCE("persistentVolumeClaim", NO_CONTENT, &claim),
	SOURCE("photonPersistentDisk", NO_CONTENT, &fields_photon),
	SOURCE("portworxVolume", NO_CONTENT, &fields_portworx),
	ROW("projected", FIELD_OBJECT, SHAPE_ONE, USE_ACT, "several such sources in one folder; read-only",
		NULL, &projected),
	SOURCE("quobyte", NO_CONTENT, &fields_quobyte),
	SOURCE("rbd", NO_CONTENT, &fields_rbd),
	SOURCE("scaleIO", NO_CONTENT, &fields_scaleio),
	ROW("secret", FIELD_OBJECT, SHAPE_ONE, USE_ACT,
		"a file for each key of a Secret, in memory; read-only", NULL, &secret),
	SOURCE("storageos", NO_CONTENT, &fields_storageos),
	SOURCE("vsphereVolume", NO_CONTENT, &fields_vsphere),
};
const struct object fields_volume = OBJECT("Volume", volume_rows);
