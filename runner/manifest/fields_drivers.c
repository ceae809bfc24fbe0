/* The fields of the volume sources that are cloud disks and drivers, most of them gone from Kubernetes by now. */
#include "runner/manifest/fields.h"

#include "base/cleanup.h"

static const struct field aws_disk_rows[] = {
	PART("fsType", FIELD_STRING),
	PART("partition", FIELD_INT32),
	PART("readOnly", FIELD_BOOL),
	PART("volumeID", FIELD_STRING),
};
const struct object fields_aws_disk = OBJECT("AWSElasticBlockStoreVolumeSource", aws_disk_rows);

static const struct field azure_disk_rows[] = {
	PART("cachingMode", FIELD_STRING),
	PART("diskName", FIELD_STRING),
	PART("diskURI", FIELD_STRING),
	PART("fsType", FIELD_STRING),
	PART("kind", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
};
const struct object fields_azure_disk = OBJECT("AzureDiskVolumeSource", azure_disk_rows);

static const struct field azure_file_rows[] = {
	PART("readOnly", FIELD_BOOL),
	PART("secretName", FIELD_STRING),
	PART("shareName", FIELD_STRING),
};
const struct object fields_azure_file = OBJECT("AzureFileVolumeSource", azure_file_rows);

static const struct field cephfs_rows[] = {
	PART_LIST("monitors", FIELD_STRING),
	PART("path", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
	PART("secretFile", FIELD_STRING),
	PART_OBJECT("secretRef", &fields_name),
	PART("user", FIELD_STRING),
};
const struct object fields_cephfs = OBJECT("CephFSVolumeSource", cephfs_rows);

static const struct field cinder_rows[] = {
	PART("fsType", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
	PART_OBJECT("secretRef", &fields_name),
	PART("volumeID", FIELD_STRING),
};
const struct object fields_cinder = OBJECT("CinderVolumeSource", cinder_rows);

static const struct field flex_rows[] = {
	PART("driver", FIELD_STRING),
	PART("fsType", FIELD_STRING),
	PART_MAP("options", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
	PART_OBJECT("secretRef", &fields_name),
};
const struct object fields_flex = OBJECT("FlexVolumeSource", flex_rows);

static const struct field flocker_rows[] = {
	PART("datasetName", FIELD_STRING),
	PART("datasetUUID", FIELD_STRING),
};
const struct object fields_flocker = OBJECT("FlockerVolumeSource", flocker_rows);

static const struct field gce_disk_rows[] = {
	PART("fsType", FIELD_STRING),
	PART("partition", FIELD_INT32),
	PART("pdName", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
};
const struct object fields_gce_disk = OBJECT("GCEPersistentDiskVolumeSource", gce_disk_rows);

static const struct field glusterfs_rows[] = {
	PART("endpoints", FIELD_STRING),
	PART("path", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
};
const struct object fields_glusterfs = OBJECT("GlusterfsVolumeSource", glusterfs_rows);

static const struct field photon_rows[] = {
	PART("fsType", FIELD_STRING),
	PART("pdID", FIELD_STRING),
};
const struct object fields_photon = OBJECT("PhotonPersistentDiskVolumeSource", photon_rows);

static const struct field portworx_rows[] = {
	PART("fsType", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
	PART("volumeID", FIELD_STRING),
};
const struct object fields_portworx = OBJECT("PortworxVolumeSource", portworx_rows);

static const struct field quobyte_rows[] = {
	PART("group", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
	PART("registry", FIELD_STRING),
	PART("tenant", FIELD_STRING),
	PART("user", FIELD_STRING),
	PART("volume", FIELD_STRING),
};
const struct object fields_quobyte = OBJECT("QuobyteVolumeSource", quobyte_rows);

static const struct field rbd_rows[] = {
	PART("fsType", FIELD_STRING),
	PART("image", FIELD_STRING),
	PART("keyring", FIELD_STRING),
	PART_LIST("monitors", FIELD_STRING),
	PART("pool", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
	PART_OBJECT("secretRef", &fields_name),
	PART("user", FIELD_STRING),
};
const struct object fields_rbd = OBJECT("RBDVolumeSource", rbd_rows);

static const struct field scaleio_rows[] = {
	PART("fsType", FIELD_STRING),
	PART("gateway", FIELD_STRING),
	PART("protectionDomain", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
	PART_OBJECT("secretRef", &fields_name),
	PART("sslEnabled", FIELD_BOOL),
	PART("storageMode", FIELD_STRING),
	PART("storagePool", FIELD_STRING),
	PART("system", FIELD_STRING),
	PART("volumeName", FIELD_STRING),
};
const struct object fields_scaleio = OBJECT("ScaleIOVolumeSource", scaleio_rows);

static const struct field storageos_rows[] = {
	PART("fsType", FIELD_STRING),
	PART("readOnly", FIELD_BOOL),
	PART_OBJECT("secretRef", &fields_name),
	PART("volumeName", FIELD_STRING),
	PART("volumeNamespace", FIELD_STRING),
};
const struct object fields_storageos = OBJECT("StorageOSVolumeSource", storageos_rows);

static const struct field vsphere_rows[] = {
	PART("fsType", FIELD_STRING),
	PART("storagePolicyID", FIELD_STRING),
	PART("storagePolicyName", FIELD_STRING),
	PART("volumePath", FIELD_STRING),
};
const struct object fields_vsphere = OBJECT("VsphereVirtualDiskVolumeSource", vsphere_rows);
