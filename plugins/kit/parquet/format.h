/* The numbers of parquet.thrift (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift):
 * enums, and the field ids of the structs that are read or written. Each enum says which definition it is. */
#ifndef KIT_PARQUET_FORMAT_H
#define KIT_PARQUET_FORMAT_H

/* enum Type */
typedef enum ParquetType {
    PARQUET_NO_TYPE = -1, /* a group: its SchemaElement has no type */
    PARQUET_BOOLEAN = 0,
    PARQUET_INT32 = 1,
    PARQUET_INT64 = 2,
    PARQUET_INT96 = 3,
    PARQUET_FLOAT = 4,
    PARQUET_DOUBLE = 5,
    PARQUET_BYTE_ARRAY = 6,
    PARQUET_FIXED = 7
} ParquetType;

/* enum FieldRepetitionType */
typedef enum ParquetRepetition {
    PARQUET_NO_REPETITION = -1, /* the root has none */
    PARQUET_REQUIRED = 0,
    PARQUET_OPTIONAL = 1,
    PARQUET_REPEATED = 2
} ParquetRepetition;

/* enum ConvertedType, for readers older than LogicalType */
typedef enum ParquetConverted {
    PARQUET_CONVERTED_NONE = -1,
    PARQUET_CONVERTED_UTF8 = 0,
    PARQUET_CONVERTED_MAP = 1,
    PARQUET_CONVERTED_LIST = 3,
    PARQUET_CONVERTED_DECIMAL = 5,
    PARQUET_CONVERTED_DATE = 6,
    PARQUET_CONVERTED_TIMESTAMP_MILLIS = 9,
    PARQUET_CONVERTED_TIMESTAMP_MICROS = 10,
    PARQUET_CONVERTED_INT_8 = 15,
    PARQUET_CONVERTED_INT_16 = 16
} ParquetConverted;

/* union LogicalType: its fields */
typedef enum ParquetLogical {
    PARQUET_LOGICAL_NONE = 0,
    PARQUET_LOGICAL_STRING = 1,
    PARQUET_LOGICAL_MAP = 2,
    PARQUET_LOGICAL_LIST = 3,
    PARQUET_LOGICAL_DECIMAL = 5,
    PARQUET_LOGICAL_DATE = 6,
    PARQUET_LOGICAL_TIMESTAMP = 8,
    PARQUET_LOGICAL_INTEGER = 10
} ParquetLogical;

/* union TimeUnit: its fields */
typedef enum ParquetTimeUnit {
    PARQUET_UNIT_NONE = 0,
    PARQUET_UNIT_MILLIS = 1,
    PARQUET_UNIT_MICROS = 2,
    PARQUET_UNIT_NANOS = 3
} ParquetTimeUnit;

/* enum Encoding */
typedef enum ParquetEncoding {
    PARQUET_PLAIN = 0,
    PARQUET_PLAIN_DICTIONARY = 2,
    PARQUET_RLE = 3,
    PARQUET_BIT_PACKED = 4,
    PARQUET_RLE_DICTIONARY = 8
} ParquetEncoding;

/* enum PageType */
typedef enum ParquetPageType {
    PARQUET_DATA_PAGE = 0,
    PARQUET_INDEX_PAGE = 1,
    PARQUET_DICTIONARY_PAGE = 2,
    PARQUET_DATA_PAGE_V2 = 3
} ParquetPageType;

/* struct FileMetaData */
typedef enum FileMetaDataField {
    FILE_VERSION = 1,
    FILE_SCHEMA = 2,
    FILE_NUM_ROWS = 3,
    FILE_ROW_GROUPS = 4,
    FILE_KEY_VALUES = 5,
    FILE_CREATED_BY = 6,
    FILE_COLUMN_ORDERS = 7
} FileMetaDataField;

/* struct KeyValue */
typedef enum KeyValueField { KEY_VALUE_KEY = 1, KEY_VALUE_VALUE = 2 } KeyValueField;

/* union ColumnOrder */
typedef enum ColumnOrderField { COLUMN_ORDER_TYPE = 1 } ColumnOrderField;

/* struct SchemaElement */
typedef enum SchemaElementField {
    ELEMENT_TYPE = 1,
    ELEMENT_TYPE_LENGTH = 2,
    ELEMENT_REPETITION = 3,
    ELEMENT_NAME = 4,
    ELEMENT_NUM_CHILDREN = 5,
    ELEMENT_CONVERTED_TYPE = 6,
    ELEMENT_SCALE = 7,
    ELEMENT_PRECISION = 8,
    ELEMENT_FIELD_ID = 9,
    ELEMENT_LOGICAL_TYPE = 10
} SchemaElementField;

/* struct DecimalType */
typedef enum DecimalTypeField { DECIMAL_SCALE = 1, DECIMAL_PRECISION = 2 } DecimalTypeField;

/* struct TimestampType */
typedef enum TimestampTypeField { TIMESTAMP_IS_UTC = 1, TIMESTAMP_UNIT = 2 } TimestampTypeField;

/* struct IntType */
typedef enum IntTypeField { INTEGER_BIT_WIDTH = 1, INTEGER_IS_SIGNED = 2 } IntTypeField;

/* struct RowGroup */
typedef enum RowGroupField {
    GROUP_COLUMNS = 1,
    GROUP_TOTAL_BYTE_SIZE = 2,
    GROUP_NUM_ROWS = 3,
    GROUP_FILE_OFFSET = 5,
    GROUP_TOTAL_COMPRESSED_SIZE = 6,
    GROUP_ORDINAL = 7
} RowGroupField;

/* struct ColumnChunk */
typedef enum ColumnChunkField {
    CHUNK_FILE_OFFSET = 2,
    CHUNK_META_DATA = 3,
    CHUNK_OFFSET_INDEX_OFFSET = 4,
    CHUNK_OFFSET_INDEX_LENGTH = 5,
    CHUNK_COLUMN_INDEX_OFFSET = 6,
    CHUNK_COLUMN_INDEX_LENGTH = 7
} ColumnChunkField;

/* struct ColumnMetaData */
typedef enum ColumnMetaDataField {
    COLUMN_TYPE = 1,
    COLUMN_ENCODINGS = 2,
    COLUMN_PATH = 3,
    COLUMN_CODEC = 4,
    COLUMN_NUM_VALUES = 5,
    COLUMN_UNCOMPRESSED_SIZE = 6,
    COLUMN_COMPRESSED_SIZE = 7,
    COLUMN_DATA_PAGE_OFFSET = 9,
    COLUMN_DICTIONARY_PAGE_OFFSET = 11,
    COLUMN_STATISTICS = 12,
    COLUMN_ENCODING_STATS = 13
} ColumnMetaDataField;

/* struct PageEncodingStats */
typedef enum PageEncodingStatsField {
    ENCODING_STATS_PAGE_TYPE = 1,
    ENCODING_STATS_ENCODING = 2,
    ENCODING_STATS_COUNT = 3
} PageEncodingStatsField;

/* struct Statistics */
typedef enum StatisticsField {
    STATISTICS_NULL_COUNT = 3,
    STATISTICS_MAX_VALUE = 5,
    STATISTICS_MIN_VALUE = 6,
    STATISTICS_MAX_IS_EXACT = 7,
    STATISTICS_MIN_IS_EXACT = 8
} StatisticsField;

/* enum BoundaryOrder */
typedef enum ParquetBoundaryOrder { PARQUET_UNORDERED = 0 } ParquetBoundaryOrder;

/* struct ColumnIndex */
typedef enum ColumnIndexField {
    COLUMN_INDEX_NULL_PAGES = 1,
    COLUMN_INDEX_MIN_VALUES = 2,
    COLUMN_INDEX_MAX_VALUES = 3,
    COLUMN_INDEX_BOUNDARY_ORDER = 4,
    COLUMN_INDEX_NULL_COUNTS = 5
} ColumnIndexField;

/* struct OffsetIndex */
typedef enum OffsetIndexField { OFFSET_INDEX_PAGE_LOCATIONS = 1 } OffsetIndexField;

/* struct PageLocation */
typedef enum PageLocationField {
    PAGE_LOCATION_OFFSET = 1,
    PAGE_LOCATION_COMPRESSED_SIZE = 2,
    PAGE_LOCATION_FIRST_ROW = 3
} PageLocationField;

/* struct PageHeader */
typedef enum PageHeaderField {
    PAGE_TYPE = 1,
    PAGE_UNCOMPRESSED_SIZE = 2,
    PAGE_COMPRESSED_SIZE = 3,
    PAGE_CRC = 4,
    PAGE_DATA_HEADER = 5,
    PAGE_DICTIONARY_HEADER = 7
} PageHeaderField;

/* struct DataPageHeader; the first two are those of struct DictionaryPageHeader too */
typedef enum DataPageHeaderField {
    DATA_PAGE_NUM_VALUES = 1,
    DATA_PAGE_ENCODING = 2,
    DATA_PAGE_DEFINITION_ENCODING = 3,
    DATA_PAGE_REPETITION_ENCODING = 4
} DataPageHeaderField;

#endif
