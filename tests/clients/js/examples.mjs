// The developer guide's examples of SearchImageSets for JavaScript, and its exceptions.
//   node examples.mjs ENDPOINT examples
//   node examples.mjs ENDPOINT exception DATASTORE_ID CRITERIA
// Prints JSON. The packages are those of the current folder, not of this file's.

import { createRequire } from "node:module";

const sdk = createRequire(`${process.cwd()}/`)("@aws-sdk/client-medical-imaging");
const { MedicalImagingClient, SearchImageSetsCommand, paginateSearchImageSets } = sdk;

const [endpoint, what, ...rest] = process.argv.slice(2);
const medicalImagingClient = new MedicalImagingClient({
  endpoint,
  disableHostPrefix: true,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  maxAttempts: 1,
});

// The guide's function, but that it counts the pages instead of printing them
const searchImageSets = async (datastoreId = "xxxxxxxx", searchCriteria = {}) => {
  const paginatorConfig = {
    client: medicalImagingClient,
    pageSize: 50,
  };
  const commandParams = {
    datastoreId: datastoreId,
    searchCriteria: searchCriteria,
  };
  const paginator = paginateSearchImageSets(paginatorConfig, commandParams);
  const imageSetsMetadataSummaries = [];
  let pages = 0;
  for await (const page of paginator) {
    imageSetsMetadataSummaries.push(...page["imageSetsMetadataSummaries"]);
    pages += 1;
  }
  return { pages, imageSetsMetadataSummaries };
};

const cases = {
  "Use case #1: EQUAL operator": {
    filters: [
      {
        values: [{ DICOMPatientId: "1234567" }],
        operator: "EQUAL",
      },
    ],
  },
  "Use case #2: BETWEEN operator using DICOMStudyDate and DICOMStudyTime": {
    filters: [
      {
        values: [
          { DICOMStudyDateAndTime: { DICOMStudyDate: "19900101", DICOMStudyTime: "000000" } },
          { DICOMStudyDateAndTime: { DICOMStudyDate: "20230901", DICOMStudyTime: "000000" } },
        ],
        operator: "BETWEEN",
      },
    ],
  },
  "Use case #3: BETWEEN operator using createdAt": {
    filters: [
      {
        values: [
          { createdAt: new Date("1985-04-12T23:20:50.52Z") },
          { createdAt: new Date() },
        ],
        operator: "BETWEEN",
      },
    ],
  },
  "Use case #4: EQUAL on DICOMSeriesInstanceUID and BETWEEN on updatedAt, sorted ASC": {
    filters: [
      {
        values: [
          { updatedAt: new Date("1985-04-12T23:20:50.52Z") },
          { updatedAt: new Date() },
        ],
        operator: "BETWEEN",
      },
      {
        values: [
          { DICOMSeriesInstanceUID: "1.1.123.123456.1.12.1.1234567890.1234.12345678.123" },
        ],
        operator: "EQUAL",
      },
    ],
    sort: {
      sortOrder: "ASC",
      sortField: "updatedAt",
    },
  },
  "no criteria": {},
};

const examples = async () => {
  const answers = {};
  for (const [name, criteria] of Object.entries(cases)) {
    const answer = await searchImageSets("12345678901234567890123456789012", criteria);
    answers[name] = { criteria, ...answer };
  }
  return answers;
};

const exception = async (datastoreId, criteria) => {
  const command = new SearchImageSetsCommand({ datastoreId, searchCriteria: JSON.parse(criteria) });
  try {
    await medicalImagingClient.send(command);
  } catch (err) {
    return {
      name: err.name,
      status: err.$metadata.httpStatusCode,
      message: err.message,
      requestId: err.$metadata.requestId,
      ownClass: err.name in sdk && err instanceof sdk[err.name],
    };
  }
  return {};
};

console.log(JSON.stringify(await { examples, exception }[what](...rest)));
