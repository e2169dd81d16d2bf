//! Windows 365.

use super::*;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        v1(list(
            "deviceManagement/virtualEndpoint/provisioningPolicies",
            &[with!(
                kind("cloudPcProvisioningPolicy", &[], 2),
                tagged = false,
                most = 300,
                fields = &[("provisioningType", Field::Is("dedicated")), ("imageType", Field::Is("gallery"))]
            )],
            ASG,
            CPC,
        )),
        v1(list(
            "deviceManagement/virtualEndpoint/userSettings",
            &[with!(
                kind("cloudPcUserSetting", &[], 1),
                tagged = false,
                most = 100,
                fields = &[("selfServiceEnabled", Field::Bool), ("localAdminEnabled", Field::Bool)]
            )],
            ASG,
            CPC,
        )),
        v1(list(
            "deviceManagement/virtualEndpoint/onPremisesConnections",
            &[with!(
                bare("cloudPcOnPremisesConnection", 10),
                fields = &[
                    ("healthCheckStatus", Field::Counter),
                    ("adDomainName", Field::Is("corp.example.com")),
                    ("adDomainPassword", Field::Secret),
                    ("adDomainUsername", Field::Person)
                ]
            )],
            &[],
            CPC,
        )),
        v1(list(
            "deviceManagement/virtualEndpoint/deviceImages",
            &[with!(
                bare("cloudPcDeviceImage", 10),
                fields = &[
                    ("operatingSystem", Field::Is("Windows 11 Enterprise")),
                    ("status", Field::Is("ready")),
                    ("version", Field::Is("1.0.0"))
                ]
            )],
            &[],
            CPC,
        )),
    ]
}
